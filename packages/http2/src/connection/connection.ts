import { ErrorCode } from "../frame/error-code.ts";
import { maxUint31 } from "../frame/frame-header.ts";
import { FrameReader } from "../frame/frame-reader.ts";
import type { Goaway } from "../frame/goaway.ts";
import { Setting } from "../frame/settings.ts";
import { HpackEncoder, PreparedHeaders } from "../hpack/index.ts";
import { callerError, connectionError, Http2Error, limitError } from "../http2-error.ts";
import type { LimitAction, LimitEvent, LimitName } from "../limit-name.ts";
import type { RequestHead } from "../stream/request-head.ts";
import { StreamState } from "../stream/state.ts";
import { type HeaderFields, Stream, type StreamListener, type StreamOwner } from "../stream/stream.ts";
import { initialWindowBytes } from "../stream/window.ts";
import { Activity, type ConnectionStatus, type MessageCounts } from "./activity.ts";
import { addressText } from "./address-text.ts";
import { Budgets } from "./budgets.ts";
import type { ByteChannel } from "./byte-channel.ts";
import { type Clock, systemClock } from "./clock.ts";
import { CreditAhead } from "./credit-ahead.ts";
import { Inbound, type InboundOwner } from "./inbound.ts";
import { type Keepalive, KeepaliveTimer } from "./keepalive.ts";
import { type ConnectionLimits, resolveLimits } from "./limits.ts";
import { Outbound } from "./outbound.ts";
import { Phases } from "./phases.ts";
import { PingPolicy } from "./ping-policy.ts";
import { type PingSettled, Pings } from "./pings.ts";
import { ReadPacer } from "./read-pacer.ts";
import type { Role } from "./role.ts";
import { StreamTable } from "./stream-table.ts";
import { Ticker } from "./ticker.ts";
import { GrowthAllowance, WindowGrowth } from "./window-growth.ts";

/** RFC 9113 §3.4: what a client's connection opens with. */
export const clientPreface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/** RFC 9113 §5.1.2 sets no number until the peer's SETTINGS come; everybody assumes this one. */
const assumedMaxConcurrentStreams = 100;

/** A fatal GOAWAY has this long to reach a peer that does not read. */
const goodbyeMs = 1000;

/** How long a drain waits for the answer to its ping before it names the last stream. */
const drainPingTimeoutMs = 5000;

/** RFC 6585 §5. */
const tooLargeHeaders = new PreparedHeaders([":status", "431", "content-length", "0"]);

/** What a connection tells the layer above. */
export interface ConnectionEvents {
  /** Server: a request has begun. The listener has to be set on the stream before this returns. */
  onStream?(stream: Stream, head: RequestHead): void;
  /** Client: the peer's SETTINGS have come, so requests are welcome. */
  onReady?(): void;
  /** The peer will take no new streams; those it has not acted on are reset as unprocessed. */
  onGoaway?(goaway: Goaway): void;
  /** Client: a stream has ended or the peer allows more, so `canOpenStream` may be true again. */
  onCapacity?(): void;
  /** The peer has struck a limit; what follows from that follows by itself. */
  onLimit?(event: LimitEvent): void;
  /** The connection is gone, always exactly once; undefined when it ended in good order. */
  onClose?(error: Http2Error | undefined): void;
}

export interface ConnectionOptions {
  limits?: Partial<ConnectionLimits>;
  /** Pings that find out whether the peer is still there. Default: none. */
  keepalive?: Keepalive;
  /** Fields that differ in every message: they are kept out of the compression table. */
  unindexedFields?: readonly string[];
  /** Server: the whole answer to a request whose header list is over the limit. Default: status 431. */
  tooLargeHeadersResponse?: HeaderFields;
  clock?: Clock;
  /** Shared by the connections of a server. Default: one of its own. */
  ticker?: Ticker;
  /** By how much the windows of all connections that share it may grow. Default: one of its own. */
  growthAllowance?: GrowthAllowance;
}

/**
 * One HTTP/2 connection, either role (RFC 9113). It is fed by `receive` and writes to a byte channel; sockets and TLS
 * are the business of the folder `socket`.
 */
export class Connection implements StreamOwner, InboundOwner {
  readonly role: Role;
  readonly clock: Clock;
  readonly limits: ConnectionLimits;
  readonly streamSendBufferBytes: number;
  peerMaxHeaderListBytes = Number.POSITIVE_INFINITY;
  private readonly tooLargeHeaders: HeaderFields;
  private readonly socket: ByteChannel;
  private readonly events: ConnectionEvents;
  private readonly ticker: Ticker;
  private readonly streams: StreamTable;
  private readonly budgets: Budgets;
  private readonly outbound: Outbound;
  private readonly inbound: Inbound;
  private readonly reader: FrameReader;
  private readonly phases: Phases;
  private readonly keepalive: KeepaliveTimer;
  private readonly pingPolicy: PingPolicy;
  private readonly growth: WindowGrowth;
  private readonly creditAhead: CreditAhead;
  private readonly nowMs: () => number;

  private peerInitialWindowBytes = initialWindowBytes;
  /** The receive window that a new stream has. */
  private streamWindowBytes: number;
  private peerMaxConcurrentStreams = assumedMaxConcurrentStreams;
  private nextStreamId = 1;
  private settingsReceivedOnce = false;
  private settingsAcked = false;
  /** SETTINGS frames of ours that the peer has not acknowledged. */
  private unacknowledgedSettings = 0;
  private readonly pings = new Pings();
  private readonly activity = new Activity();
  readonly messages: MessageCounts = this.activity.messages;
  private readonly pacer: ReadPacer;

  /** No new streams: we have said so (server), or the peer has, or we are about to close. */
  private draining = false;
  /** The last stream that the peer's latest GOAWAY allows. */
  private peerLastAllowedStreamId = maxUint31;
  private failed = false;
  private ended = false;
  private closed = false;
  private closeError: Http2Error | undefined = undefined;
  private knownPeer: string | undefined = undefined;

  constructor(role: Role, socket: ByteChannel, events: ConnectionEvents, options: ConnectionOptions = {}) {
    this.role = role;
    this.tooLargeHeaders = options.tooLargeHeadersResponse ?? tooLargeHeaders;
    this.socket = socket;
    this.events = events;
    this.clock = options.clock ?? systemClock;
    this.ticker = options.ticker ?? new Ticker(this.clock);
    const limits = resolveLimits(options.limits);
    this.limits = limits;
    this.streamSendBufferBytes = limits.streamSendBufferBytes;
    this.streamWindowBytes = limits.streamWindowBytes;
    this.streams = new StreamTable(role);
    this.budgets = new Budgets(limits, this.clock);
    this.outbound = new Outbound(
      socket,
      new HpackEncoder(limits.headerTableBytes, options.unindexedFields),
      limits.connectionSendBufferBytes,
      () => this.drained(),
    );
    const allowance = options.growthAllowance ?? new GrowthAllowance(limits.sharedWindowGrowthBytes);
    this.growth = new WindowGrowth(limits.connectionWindowBytes, limits.maxReceiveWindowBytes, allowance);
    this.creditAhead = new CreditAhead(allowance);
    this.inbound = new Inbound(this, this.streams, this.outbound, limits, this.budgets, this.creditAhead);
    this.reader = new FrameReader(this.inbound, limits.maxFrameBytes);
    this.pacer = new ReadPacer(socket, (chunk, from) => this.read(chunk, from));
    this.phases = new Phases(limits, this.clock.nowMs());
    this.pingPolicy = new PingPolicy(limits);
    this.nowMs = () => this.clock.nowMs();
    this.keepalive = new KeepaliveTimer(options.keepalive, this.clock.nowMs());
    this.begin();
    this.ticker.add(this);
  }

  // ---- what users of a connection call

  /** `host:port` of the other end; undefined in memory and over Unix sockets. A socket forgets it when it closes, we do not. */
  get peerAddress(): string | undefined {
    this.knownPeer ??= addressText(this.socket.remoteAddress, this.socket.remotePort);
    return this.knownPeer;
  }

  get isClosed(): boolean {
    return this.closed;
  }

  /** What happened so far and how it stands now; made anew each time, for debugging. */
  status(): ConnectionStatus {
    return {
      ...this.activity.describe(this.clock.nowMs(), this.streams.size, this.socket),
      sendWindowBytes: this.outbound.window.available,
      receiveWindowBytes: this.inbound.window.availableBytes,
      ...(this.role === "client" &&
        this.settingsReceivedOnce && { peerMaxConcurrentStreams: this.peerMaxConcurrentStreams }),
    };
  }

  get openStreams(): number {
    return this.streams.size;
  }

  /** Client: whether `request` would find a place now. */
  get canOpenStream(): boolean {
    return (
      !this.draining &&
      !this.failed &&
      !this.closed &&
      this.streams.size < this.peerMaxConcurrentStreams &&
      this.nextStreamId <= this.limits.maxStreamId
    );
  }

  /** Client: whether the connection takes new requests at all, now or when a stream ends. */
  get isAcceptingRequests(): boolean {
    return !this.draining && !this.failed && !this.closed && this.nextStreamId <= this.limits.maxStreamId;
  }

  /** Client: sends a request head, `fields` and then `extra`. Throws when `canOpenStream` is false. */
  request(fields: HeaderFields, extra: readonly string[], endStream: boolean, listener: StreamListener): Stream {
    if (this.role !== "client") throw callerError("a server cannot send requests");
    if (!this.canOpenStream) throw callerError("the connection has no place for another stream");
    const stream = this.newStream(this.nextStreamId);
    this.nextStreamId += 2;
    stream.isHead = isHeadRequest(fields);
    this.streams.lastStreamId = stream.id;
    stream.listener = listener;
    this.streams.add(stream);
    this.phases.busy();
    stream.sendHeaders(fields, endStream, extra);
    return stream;
  }

  /** Sends a PING; the promise is settled by its answer, or rejected when the connection ends first. */
  ping(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.sendPing((error) => (error === undefined ? resolve() : reject(error)));
    });
  }

  /**
   * Ends the connection without losing a request: the peer is told to open no more streams, those that are open run
   * to their end, then the socket is closed (RFC 9113 §6.8). `reason` travels as debug data, in ASCII.
   */
  drain(reason = ""): void {
    if (this.draining || this.failed || this.closed) {
      this.endWhenIdle();
      return;
    }
    this.draining = true;
    if (this.role === "client") {
      this.outbound.goaway(0, ErrorCode.noError, reason);
      this.endWhenIdle();
      return;
    }
    // Requests that cross the first GOAWAY are still taken; the ping's answer tells that the peer has read it.
    this.outbound.goaway(maxUint31, ErrorCode.noError, reason);
    const nameLast = (): void => {
      cancel();
      if (this.failed || this.closed || this.streams.lastAllowedStreamId !== maxUint31) return;
      this.streams.lastAllowedStreamId = this.streams.lastStreamId;
      this.outbound.goaway(this.streams.lastAllowedStreamId, ErrorCode.noError, reason);
      this.endWhenIdle();
    };
    const cancel = this.clock.after(drainPingTimeoutMs, nameLast);
    this.sendPing(nameLast);
  }

  /** Ends the connection now: open streams are cut off on both sides. */
  close(code: number = ErrorCode.noError, reason = ""): void {
    if (this.failed || this.closed) return;
    this.shutDown(new Http2Error("the connection was closed", { scope: "connection", blame: "local", code }), reason);
  }

  // ---- what the socket's owner calls

  /**
   * Octets from the peer; those behind the client's preface when this is a server. Never throws. True: the chunk has been used
   * up, so its memory can be freed or filled anew.
   */
  receive(chunk: Uint8Array): boolean {
    this.keepalive.heard();
    return this.pacer.receive(chunk);
  }

  /** The socket has sent everything it held. */
  drained(): void {
    this.outbound.drained();
    this.pacer.drained();
  }

  /** The socket is gone. */
  socketClosed(cause?: Error): void {
    if (this.closed) return;
    const inGoodOrder = cause === undefined && (this.ended || this.streams.size === 0);
    const lost = new Http2Error(cause === undefined ? "the peer closed the connection" : "the connection was lost", {
      scope: "connection",
      blame: "peer",
      cause,
    });
    this.finish(this.failed ? this.closeError : inGoodOrder ? undefined : lost, lost);
  }

  tick(nowMs: number): void {
    if (this.closed) return;
    this.activity.observe(nowMs, this.streams.size);
    const since = this.inbound.headersSinceMs;
    const overdue = this.phases.overdue(nowMs, this.settingsReceivedOnce, this.settingsAcked, since);
    if (overdue !== undefined) {
      this.fail(overdue);
    } else if (this.phases.isStalled(nowMs, this.outbound.handedBytes, this.socket.writableLength)) {
      this.abandon(limitError("write_stall", ErrorCode.internalError, "the peer stopped reading"));
    } else if (this.phases.isIdle(nowMs, this.streams.slots)) {
      this.drain("max_idle");
    } else if (this.phases.isGraceOver(nowMs)) {
      this.close(ErrorCode.noError, "max_age");
    } else if (this.phases.isTooOld(nowMs)) {
      this.drain("max_age");
    } else {
      this.resetStalledStreams(nowMs);
      const step = this.keepalive.step(nowMs, this.streams.size > 0);
      if (step === "ping") {
        this.activity.keepalivesSent++;
        this.sendPing(() => this.keepalive.answered());
      }
      if (step === "dead") {
        this.abandon(new Http2Error("keepalive got no answer", { scope: "connection", blame: "peer" }));
      }
    }
  }

  private resetStalledStreams(nowMs: number): void {
    const limitMs = this.limits.streamStallTimeoutMs;
    if (limitMs === 0) return;
    for (const stream of this.outbound.stalledStreams(nowMs, limitMs)) {
      this.outbound.rstStream(stream.id, ErrorCode.cancel);
      this.tellLimit("stream_stall", "reset", stream.id, "the peer gave no window");
      stream.abort(
        new Http2Error("the peer gave no window", { scope: "stream", blame: "peer", code: ErrorCode.cancel }),
      );
    }
  }

  // ---- StreamOwner

  get outputBytes(): Uint8Array {
    return this.outbound.arena.bytes;
  }

  reserve(_stream: Stream, octets: number): number {
    return this.outbound.reserveFrame(octets);
  }

  commitData(stream: Stream, offset: number, octets: number, endStream: boolean): void {
    this.outbound.commitData(stream, offset, octets, endStream);
  }

  sendHeaders(stream: Stream, fields: HeaderFields, extra: readonly string[], endStream: boolean): void {
    this.outbound.headers(stream, fields, extra, endStream);
  }

  sendPending(stream: Stream): void {
    this.outbound.pending(stream);
  }

  freeWhenSent(bytes: Uint8Array): void {
    this.outbound.given.give(bytes);
  }

  sendWindowUpdate(streamId: number, increment: number): void {
    this.outbound.windowUpdate(streamId, increment);
  }

  sendReset(stream: Stream, code: number): void {
    this.streams.rememberReset(stream.id, this.clock.nowMs());
    this.outbound.rstStream(stream.id, code);
  }

  releaseConnectionWindow(octets: number): void {
    this.inbound.releaseWindow(octets);
  }

  giveBackSmallData(cost: number): void {
    this.inbound.smallData.giveBack(cost);
  }

  streamClosed(stream: Stream, inGoodOrder: boolean, before: StreamState): void {
    const answered = this.role === "client" ? StreamState.halfClosedRemote : StreamState.halfClosedLocal;
    if (inGoodOrder || before === answered) this.activity.streamsSucceeded++;
    else this.activity.streamsFailed++;
    this.streams.delete(stream);
    if (stream.isQueued) this.outbound.dequeue(stream);
    if (!inGoodOrder) return;
    this.streams.endedByPeer(stream.id, "end");
    this.budgets.streamCompleted();
  }

  listenerThrew(stream: Stream, error: unknown): void {
    this.inbound.failed(error, stream.id);
  }

  slotReleased(): void {
    this.streams.slots--;
    if (this.closed) return;
    if (this.draining) this.endWhenIdle();
    else if (this.role === "client") this.tellCapacity();
  }

  answerDidNotFit(): void {
    try {
      this.budgets.glitch();
    } catch (exhausted) {
      this.inbound.failed(exhausted, 0);
    }
  }

  // ---- InboundOwner

  refuses(streamId: number): boolean {
    if (streamId > this.streams.lastAllowedStreamId) return true;
    if (this.streams.slots < this.limits.maxConcurrentStreams) return false;
    this.budgets.glitch();
    this.streams.rememberReset(streamId, this.clock.nowMs());
    this.outbound.rstStream(streamId, ErrorCode.refusedStream);
    this.tellLimit("streams", "refused", streamId, "too many streams or handlers at once");
    return true;
  }

  openStream(streamId: number, head: RequestHead): Stream {
    const stream = this.newStream(streamId);
    this.streams.add(stream);
    this.phases.busy();
    this.events.onStream?.(stream, head);
    return stream;
  }

  refuseHeaderList(streamId: number, endStream: boolean): void {
    this.budgets.glitch();
    const stream = this.newStream(streamId);
    this.streams.add(stream);
    this.tellLimit("header_list", "refused", streamId, "the request's header list is over the limit");
    stream.sendHeaders(this.tooLargeHeaders, true);
    if (endStream) stream.endReceived();
    else stream.reset(ErrorCode.noError);
  }

  applySetting(setting: number, value: number): void {
    switch (setting) {
      case Setting.headerTableSize:
        this.outbound.encoder.setPeerMaxTableBytes(value);
        break;
      case Setting.enablePush:
        if (this.role === "client" && value === 1) {
          throw connectionError(ErrorCode.protocolError, "a server must not set SETTINGS_ENABLE_PUSH to 1");
        }
        break;
      case Setting.maxConcurrentStreams:
        this.peerMaxConcurrentStreams = value;
        break;
      case Setting.initialWindowSize:
        this.shiftSendWindows(value - this.peerInitialWindowBytes);
        this.peerInitialWindowBytes = value;
        break;
      case Setting.maxFrameSize:
        this.outbound.maxFrameBytes = value;
        break;
      case Setting.maxHeaderListSize:
        this.peerMaxHeaderListBytes = value;
        break;
      default:
    }
  }

  settingsReceived(): void {
    this.guardControlFrames();
    this.outbound.resume();
    if (this.settingsReceivedOnce) {
      // Not for free: each one costs an answer and a walk over the streams (CVE-2019-9515).
      this.budgets.glitch();
      this.tellCapacity();
      return;
    }
    this.settingsReceivedOnce = true;
    this.events.onReady?.();
  }

  settingsAcknowledged(): void {
    if (this.unacknowledgedSettings === 0) {
      this.budgets.glitch();
      return;
    }
    this.unacknowledgedSettings--;
    if (this.settingsAcked) return;
    this.settingsAcked = true;
    this.inbound.decoder.setMaxTableBytes(this.limits.headerTableBytes);
  }

  pingReceived(): void {
    const { outbound } = this;
    const framesSent = outbound.dataFrames + outbound.headerBlocks;
    this.pingPolicy.received(this.clock.nowMs(), this.streams.size > 0, framesSent);
    this.guardControlFrames();
  }

  pingAcknowledged(number: number): void {
    this.pings.acknowledged(number);
  }

  dataReceived(octets: number): void {
    if (!this.growth.received(octets, this.nowMs)) return;
    this.sendPing((error) => {
      if (error === undefined) this.growWindows();
    });
  }

  goawayReceived(goaway: Goaway): void {
    // §6.8: what was called unprocessed may have been sent elsewhere by now.
    if (this.role === "client" && goaway.lastStreamId % 2 === 0 && goaway.lastStreamId !== 0) {
      throw connectionError(
        ErrorCode.protocolError,
        `a GOAWAY names stream ${goaway.lastStreamId}, which a client never opens`,
      );
    }
    if (goaway.lastStreamId > this.peerLastAllowedStreamId) {
      throw connectionError(ErrorCode.protocolError, "a GOAWAY names a later stream than the one before");
    }
    this.peerLastAllowedStreamId = goaway.lastStreamId;
    this.activity.receivedGoawayCode = goaway.code;
    this.draining = true;
    this.events.onGoaway?.(goaway);
    if (this.role === "client") {
      const error = new Http2Error("the peer went away before it acted on the stream", {
        scope: "stream",
        blame: "peer",
        code: goaway.code,
        unprocessed: true,
      });
      for (const stream of this.streams.all()) if (stream.id > goaway.lastStreamId) stream.abort(error);
    }
    this.endWhenIdle();
  }

  failStream(streamId: number, error: Http2Error): void {
    try {
      if (error.blame === "peer") this.budgets.causedReset();
    } catch (exhausted) {
      this.fail(exhausted as Http2Error);
      return;
    }
    this.streams.rememberReset(streamId, this.clock.nowMs());
    this.outbound.rstStream(streamId, error.code);
    if (error.limit !== undefined) this.tellLimit(error.limit, "reset", streamId, error.message);
    this.streams.find(streamId)?.abort(error);
  }

  fail(error: Http2Error): void {
    if (this.failed || this.closed) return;
    if (error.limit !== undefined) this.tellLimit(error.limit, "closed", 0, error.message);
    this.shutDown(error, error.message);
  }

  // ---- within

  private begin(): void {
    const { limits } = this;
    if (this.role === "client") this.outbound.raw(Buffer.from(clientPreface, "latin1"));
    const entries: [number, number][] = [];
    if (this.role === "server") entries.push([Setting.maxConcurrentStreams, limits.maxConcurrentStreams]);
    else entries.push([Setting.enablePush, 0]);
    if (limits.headerTableBytes !== 4096) entries.push([Setting.headerTableSize, limits.headerTableBytes]);
    if (limits.maxFrameBytes !== 16_384) entries.push([Setting.maxFrameSize, limits.maxFrameBytes]);
    entries.push([Setting.initialWindowSize, limits.streamWindowBytes]);
    entries.push([Setting.maxHeaderListSize, limits.maxHeaderListBytes]);
    this.sendSettings(entries);
    const extra = limits.connectionWindowBytes - initialWindowBytes;
    if (extra > 0) this.outbound.windowUpdate(0, extra);
  }

  private sendSettings(entries: readonly (readonly [number, number])[]): void {
    this.unacknowledgedSettings++;
    this.outbound.settings(entries);
  }

  /** The windows of streams grow with the connection's: any one of them may be the one that moves the data. */
  private growWindows(): void {
    const { inbound } = this;
    const growth = this.growth.answered(this.clock.nowMs(), inbound.heldBytes);
    if (growth === 0) return;
    inbound.window.grow(growth);
    this.outbound.windowUpdate(0, growth);
    // One stream never has more than half of what all may hold, so that another finds room beside one that is not read.
    const most = Math.max(this.streamWindowBytes, Math.floor(this.limits.maxReceiveWindowBytes / 2));
    const streamGrowth = Math.min(growth, most - this.streamWindowBytes);
    if (streamGrowth === 0) return;
    this.streamWindowBytes += streamGrowth;
    // The peer adds the difference to the streams that are open, too (RFC 9113 §6.9.2).
    this.sendSettings([[Setting.initialWindowSize, this.streamWindowBytes]]);
    for (const stream of this.streams.all()) stream.growReceiveWindow(streamGrowth);
  }

  private newStream(id: number): Stream {
    const { streamWindowBytes } = this;
    // Until the peer has acknowledged our SETTINGS it may believe in the initial window (RFC 9113 §6.9.2).
    const allowance = this.settingsAcked ? streamWindowBytes : Math.max(streamWindowBytes, initialWindowBytes);
    return new Stream(id, this, this.peerInitialWindowBytes, streamWindowBytes, allowance);
  }

  /** May be called in the middle of a stream's end, which has to be told whatever happens here. */
  private tellCapacity(): void {
    try {
      this.events.onCapacity?.();
    } catch (error) {
      this.inbound.failed(error, 0);
    }
  }

  private tellLimit(limit: LimitName, action: LimitAction, streamId: number, detail: string): void {
    try {
      this.events.onLimit?.({ limit, action, streamId, detail });
    } catch {
      // Who only keeps the books has no say in what becomes of the connection.
    }
  }

  private shiftSendWindows(bytes: number): void {
    for (const stream of this.streams.all()) {
      if (stream.sendWindow.shift(bytes)) continue;
      throw connectionError(ErrorCode.flowControlError, "SETTINGS_INITIAL_WINDOW_SIZE took a window over 2^31-1");
    }
  }

  private read(chunk: Uint8Array, from: number): number {
    let stoppedAt: number;
    try {
      stoppedAt = this.reader.read(chunk, from, this.limits.maxFramesPerTurn);
    } catch (error) {
      this.inbound.failed(error, 0);
      return -1;
    }
    this.phases.afterRead(this.reader.isInsideFrame, this.reader.framesRead, this.clock);
    return stoppedAt;
  }

  private stopReading(): void {
    this.reader.stop();
    this.pacer.stop();
  }

  /** A peer that asks for answers and does not read them is not listened to until it does. */
  private guardControlFrames(): void {
    const { outbound, limits } = this;
    if (outbound.queuedControlFrames < limits.pauseAtQueuedControlFrames) return;
    outbound.flush();
    if (outbound.queuedControlFrames >= limits.maxQueuedControlFrames) {
      throw limitError("control_frames", ErrorCode.enhanceYourCalm, "too_many_control_frames");
    }
    if (outbound.queuedControlFrames > 0 && this.pacer.pauseUntilDrained()) {
      this.tellLimit("control_frames", "paused", 0, "the peer asks and does not read the answers");
    }
  }

  private sendPing(settle: PingSettled): void {
    this.outbound.ping(this.pings.add(settle));
  }

  /** A drain is over when no stream and no handler is left; a server waits until its last stream has been named, too. */
  private endWhenIdle(): void {
    if (!this.draining || this.ended || this.failed || this.closed) return;
    if (this.streams.size > 0 || this.streams.slots > 0) return;
    if (this.role === "server" && this.streams.lastAllowedStreamId === maxUint31 && this.pings.size > 0) return;
    this.ended = true;
    // What the peer still sends is of no interest, and answering it would be a write behind the end.
    this.stopReading();
    this.outbound.flush();
    this.outbound.close();
    this.socket.resume();
    this.socket.end();
    this.destroySoon();
  }

  /** GOAWAY, then the socket's end; what the peer still sends is read and thrown away so that the GOAWAY arrives. */
  private shutDown(error: Http2Error, reason: string): void {
    this.failed = true;
    this.draining = true;
    this.closeError = error.blame === "local" && error.code === ErrorCode.noError ? undefined : error;
    this.stopReading();
    const lastStreamId = Math.min(this.streams.lastStreamId, this.streams.lastAllowedStreamId);
    this.outbound.goaway(this.role === "server" ? lastStreamId : 0, error.code, ascii(reason));
    this.abortStreams(error);
    this.outbound.flush();
    this.outbound.close();
    this.socket.resume();
    this.socket.end();
    this.destroySoon();
  }

  private destroySoon(): void {
    this.cancelDestroy?.();
    this.cancelDestroy = this.clock.after(goodbyeMs, () => {
      // The last answers of a drain may take a slow peer longer; the stall time-out watches over that.
      if (!this.failed && this.socket.writableLength > 0) this.destroySoon();
      else this.socket.destroy();
    });
  }

  private cancelDestroy: (() => void) | undefined = undefined;

  /** The peer does not read or answer, so nothing is said any more. */
  private abandon(error: Http2Error): void {
    this.failed = true;
    if (error.limit !== undefined) this.tellLimit(error.limit, "closed", 0, error.message);
    this.closeError = error;
    this.stopReading();
    this.socket.destroy();
    this.finish(error, error);
  }

  private abortStreams(error: Http2Error): void {
    for (const stream of this.streams.all()) stream.abort(error);
  }

  private finish(reported: Http2Error | undefined, streamsSee: Http2Error): void {
    this.closed = true;
    this.draining = true;
    this.stopReading();
    this.cancelDestroy?.();
    this.ticker.delete(this);
    this.abortStreams(streamsSee);
    this.outbound.close();
    this.growth.end();
    this.creditAhead.end();
    this.pings.endAll(streamsSee);
    try {
      this.events.onClose?.(reported);
    } catch {
      // Nothing is left that could fail for it, and the socket's event that led here must not end the process.
    }
  }
}

/** The method mostly comes first; it cannot stand behind the pseudo-header fields. */
function isHeadRequest(fields: HeaderFields): boolean {
  const list = fields instanceof PreparedHeaders ? fields.fields : fields;
  for (let i = 0; i < list.length && (list[i] as string).startsWith(":"); i += 2) {
    if (list[i] === ":method") return list[i + 1] === "HEAD";
  }
  return false;
}

/** Debug data is read by people in logs; what is not printable ASCII would only garble it. */
function ascii(text: string): string {
  let out = "";
  for (const char of text.slice(0, 256)) out += char >= " " && char <= "~" ? char : "?";
  return out;
}
