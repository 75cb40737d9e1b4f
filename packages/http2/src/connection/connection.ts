import { ErrorCode } from "../errors/error-code.ts";
import { callerError, type Http2Error } from "../errors/http2-error.ts";
import { FrameReader } from "../frame/frame-reader.ts";
import type { Goaway } from "../frame/goaway.ts";
import { TurnWork, workOfFrame } from "../frame/turn-work.ts";
import { PreparedHeaders } from "../hpack/index.ts";
import { isHeadRequest } from "../stream/is-head-request.ts";
import type { Loan } from "../stream/loan.ts";
import type { PeerTls } from "../stream/peer-tls.ts";
import type { RequestHead } from "../stream/request-head.ts";
import { mayReceive, StreamState } from "../stream/state.ts";
import { type HeaderFields, Stream, type StreamListener, type StreamOwner } from "../stream/stream.ts";
import { Budgets } from "./abuse/budgets.ts";
import { ControlFrameGuard } from "./abuse/control-frame-guard.ts";
import { LimitNotifier } from "./abuse/limit-notifier.ts";
import { PingPolicy } from "./abuse/ping-policy.ts";
import { type ChunkReader, ReadPacer } from "./abuse/read-pacer.ts";
import { addressText } from "./address-text.ts";
import type { ByteChannel } from "./byte-channel.ts";
import { Drain } from "./closing/drain.ts";
import { Shutdown } from "./closing/shutdown.ts";
import type { ConnectionEvents, ConnectionOptions } from "./connection-options.ts";
import { CreditAhead } from "./flow/credit-ahead.ts";
import { MessageCredit, type MessageCreditParts } from "./flow/message-credit.ts";
import { MessageRooms } from "./flow/message-rooms.ts";
import { SharedOutput } from "./flow/shared-output.ts";
import { GrowthAllowance, WindowGrowth } from "./flow/window-growth.ts";
import { WindowTuner, type WindowTunerParts } from "./flow/window-tuner.ts";
import { FrameWriter, type FrameWriterOwner } from "./frame-writer.ts";
import { Inbound, type InboundOwner } from "./inbound.ts";
import { type ConnectionLimits, resolveLimits } from "./limits.ts";
import { Outbound, type OutboundOwner } from "./outbound.ts";
import type { Role } from "./role.ts";
import { clientPreface } from "./settings/client-preface.ts";
import { OwnSettings } from "./settings/own-settings.ts";
import { PeerSettings } from "./settings/peer-settings.ts";
import { RequestGate, type RequestGateParts } from "./streams/request-gate.ts";
import { StreamAdmission, type StreamAdmissionParts } from "./streams/stream-admission.ts";
import { StreamTable } from "./streams/stream-table.ts";
import { Activity, type ConnectionStatus, type MessageCounts } from "./time/activity.ts";
import { type Clock, systemClock } from "./time/clock.ts";
import { ConnectionTimers } from "./time/connection-timers.ts";
import { KeepaliveTimer } from "./time/keepalive.ts";
import { Pings } from "./time/pings.ts";
import { Ticker } from "./time/ticker.ts";
import { TimeLimits, type TimeLimitsParts } from "./time/time-limits.ts";

/** RFC 6585 §5. */
const tooLargeHeaders = new PreparedHeaders([":status", "431", "content-length", "0"]);

/**
 * One HTTP/2 connection, either role (RFC 9113). It is fed by `receive` and writes to a byte channel; sockets and TLS
 * are the business of the folder `socket`.
 */
export class Connection implements StreamOwner, InboundOwner, FrameWriterOwner, OutboundOwner, ChunkReader {
  readonly role: Role;
  readonly clock: Clock;
  readonly limits: ConnectionLimits;
  /** Undefined without TLS. */
  readonly peerTls: PeerTls | undefined;
  private readonly tooLargeHeaders: HeaderFields;
  private readonly socket: ByteChannel;
  private readonly events: ConnectionEvents;
  private readonly ticker: Ticker;
  private readonly streams: StreamTable;
  private readonly budgets: Budgets;
  private readonly frames: FrameWriter;
  private readonly outbound: Outbound;
  private readonly inbound: Inbound;
  private readonly reader: FrameReader;
  private readonly phases: ConnectionTimers;
  readonly sharedOutput: SharedOutput;
  /** Undefined before the first request of which a handler may begin. */
  private requestGate: RequestGate | undefined = undefined;
  /** Undefined without the option. */
  private readonly keepalive: KeepaliveTimer | undefined;
  private readonly timeLimits: TimeLimits;
  private readonly pingPolicy: PingPolicy;
  private readonly controlFrameGuard: ControlFrameGuard;
  private readonly allowance: GrowthAllowance;
  /** Undefined before the first data. */
  private windowTuner: WindowTuner | undefined = undefined;
  private readonly creditAhead: CreditAhead;
  /** Undefined before the first message that is larger than a frame. */
  private messageCredit: MessageCredit | undefined = undefined;
  /** Undefined before the first message that may be much larger than what came for it. */
  private rooms: MessageRooms | undefined = undefined;
  private readonly admission: StreamAdmission;
  private readonly peerSettings: PeerSettings;
  private readonly ownSettings: OwnSettings;
  /** Undefined before either side wants an end. */
  private drainBegun: Drain | undefined = undefined;
  private shutdownBegun: Shutdown | undefined = undefined;
  private readonly parts: StreamAdmissionParts &
    TimeLimitsParts &
    WindowTunerParts &
    MessageCreditParts &
    RequestGateParts;
  private readonly limitNotifier: LimitNotifier;

  private nextStreamId = 1;
  private readonly pings: Pings;
  private readonly activity = new Activity();
  readonly messages: MessageCounts = this.activity.messages;
  readonly turnWork = new TurnWork();
  private readonly maxWorkPerTurn: number;
  private readonly pacer: ReadPacer;
  private readonly unrefWhenIdle: boolean;
  /** Open streams that keep the process alive; counted only with `unrefWhenIdle`. */
  private referencedStreams = 0;
  private knownPeer: string | undefined = undefined;

  constructor(role: Role, socket: ByteChannel, events: ConnectionEvents, options: ConnectionOptions = {}) {
    this.role = role;
    this.tooLargeHeaders = options.tooLargeHeadersResponse ?? tooLargeHeaders;
    this.socket = socket;
    this.events = events;
    this.limitNotifier = new LimitNotifier(events, this);
    this.clock = options.clock ?? systemClock;
    this.unrefWhenIdle = role === "client" && options.unrefWhenIdle === true;
    this.ticker = options.ticker ?? new Ticker(this.clock);
    const limits = options.resolvedLimits ?? resolveLimits(options.limits);
    this.limits = limits;
    this.peerTls = options.peerTls;
    // Before our SETTINGS have arrived, a peer may open more than they allow. Each costs a glitch.
    this.streams = new StreamTable(role, limits.maxConcurrentStreams + limits.glitchBurst);
    this.budgets = new Budgets(limits, this.clock);
    this.sharedOutput = options.sharedOutput ?? new SharedOutput(limits);
    this.frames = new FrameWriter(socket, this, limits, options.unindexedFields);
    this.outbound = new Outbound(this.frames, this.sharedOutput, this);
    this.pings = new Pings(this.frames);
    this.allowance = options.growthAllowance ?? new GrowthAllowance(limits.sharedWindowGrowthBytes);
    this.creditAhead = new CreditAhead(this.allowance);
    this.inbound = new Inbound(this, this.streams, this.outbound, limits, this.budgets, this.creditAhead);
    this.reader = new FrameReader(this.inbound, limits.maxFrameBytes, this.turnWork);
    this.maxWorkPerTurn = workOfFrame * limits.maxFramesPerTurn;
    this.pacer = new ReadPacer(socket, this, this.turnWork, this.maxWorkPerTurn);
    this.phases = new ConnectionTimers(limits, this.clock.nowMs());
    this.pingPolicy = new PingPolicy(limits);
    this.controlFrameGuard = new ControlFrameGuard(this.frames, limits, this.pacer, this.limitNotifier);
    this.keepalive =
      options.keepalive === undefined ? undefined : new KeepaliveTimer(options.keepalive, this.clock.nowMs());
    this.peerSettings = new PeerSettings(role, this.streams, this.frames);
    this.ownSettings = new OwnSettings(limits, this.frames);
    this.parts = {
      socket,
      clock: this.clock,
      limits,
      budgets: this.budgets,
      streams: this.streams,
      places: options.streamPlaces,
      inbound: this.inbound,
      frames: this.frames,
      outbound: this.outbound,
      sharedOutput: this.sharedOutput,
      sharedUnfinished: options.sharedUnfinished,
      peerSettings: this.peerSettings,
      ownSettings: this.ownSettings,
      pings: this.pings,
      phases: this.phases,
      keepalive: this.keepalive,
      activity: this.activity,
      limitNotifier: this.limitNotifier,
      connection: this,
    };
    this.admission = new StreamAdmission(this.parts);
    this.timeLimits = new TimeLimits(this.parts);
    if (this.unrefWhenIdle) socket.unref?.();
    if (role === "client") this.frames.raw(Buffer.from(clientPreface, "latin1"));
    this.ownSettings.announce(role);
    this.ticker.add(this);
  }

  // ---- what users of a connection call

  /** `host:port` of the other end; undefined in memory and over Unix sockets. A socket forgets it when it closes, we do not. */
  get peerAddress(): string | undefined {
    this.knownPeer ??= addressText(this.socket.remoteAddress, this.socket.remotePort);
    return this.knownPeer;
  }

  /** The other end's address alone, as long as the socket lives. */
  get remoteAddress(): string | undefined {
    return this.socket.remoteAddress;
  }

  get isClosed(): boolean {
    return this.shutdownBegun?.isClosed === true;
  }

  get streamSendBufferBytes(): number {
    return this.limits.streamSendBufferBytes;
  }

  /** The largest header list that the peer says it takes; Infinity when it has not said. */
  get peerMaxHeaderListBytes(): number {
    return this.peerSettings.maxHeaderListBytes;
  }

  /** What happened so far and how it stands now; made again each time, for debugging. */
  status(): ConnectionStatus {
    return {
      ...this.activity.describe(this.clock.nowMs(), this.streams.size, this.socket),
      sendWindowBytes: this.outbound.window.available,
      receiveWindowBytes: this.inbound.window.availableBytes,
      ...(this.role === "client" &&
        this.peerSettings.haveCome && { peerMaxConcurrentStreams: this.peerSettings.maxConcurrentStreams }),
    };
  }

  get openStreams(): number {
    return this.streams.size;
  }

  /** Client: whether `request` would find a place now. */
  get canOpenStream(): boolean {
    return this.isAcceptingRequests && this.streams.size < this.peerSettings.maxConcurrentStreams;
  }

  /** Client: whether the connection takes new requests at all, now or when a stream ends. */
  get isAcceptingRequests(): boolean {
    return !this.isEnding && this.nextStreamId <= this.limits.maxStreamId;
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
    this.admission.add(stream);
    this.phases.busy();
    if (this.unrefWhenIdle && ++this.referencedStreams === 1) this.socket.ref?.();
    stream.sendHeaders(fields, endStream, extra);
    // After the head, so that the peer sees a ping of a connection with streams.
    if (this.keepalive?.isDormant === true) this.timeLimits.wake(this.clock.nowMs());
    return stream;
  }

  /** Sends a PING; the promise is settled by its answer, or rejected when the connection ends first. */
  ping(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.pings.send((error) => (error === undefined ? resolve() : reject(error)));
    });
  }

  /**
   * Ends the connection without losing a request: the peer is told to open no more streams, those that are open run
   * to their end, then the socket is closed (RFC 9113 §6.8). `reason` travels as debug data, in ASCII.
   */
  drain(reason = ""): void {
    this.draining.begin(reason);
  }

  /**
   * Ends the connection now: open streams are cut off on both sides. `reason` travels as debug data, in ASCII; `message` is what
   * our side's streams see. Default: that the connection was closed, and the reason.
   */
  close(code: number = ErrorCode.noError, reason = "", message?: string): void {
    const text = reason === "" ? "the connection was closed" : `the connection was closed: ${reason}`;
    this.shutdown.close(code, reason, message ?? text);
  }

  // ---- what the socket's owner calls

  /**
   * Bytes from the peer; those behind the client's preface when this is a server. Never throws. True: the chunk has been used
   * up, so its memory can be freed or filled again.
   */
  receive(chunk: Uint8Array): boolean {
    this.keepalive?.heard();
    if (this.shutdownBegun !== undefined) this.shutdownBegun.discarded(chunk.length);
    return this.pacer.receive(chunk);
  }

  /** The socket has sent everything it held. */
  drained(): void {
    this.outbound.drained();
    this.pacer.drained();
  }

  /** The socket is gone. */
  socketClosed(cause?: Error): void {
    this.shutdown.socketClosed(cause);
  }

  tick(nowMs: number): void {
    if (this.isClosed) return;
    this.activity.observe(nowMs, this.streams.size);
    this.timeLimits.enforce(nowMs);
    this.requestGate?.onLessWaiting();
    this.messageCredit?.unfinished.enforce(nowMs, this.limits.unfinishedTimeoutMs);
    this.rooms?.enforce(nowMs);
  }

  // ---- StreamOwner

  get outputBytes(): Uint8Array {
    return this.frames.arena.bytes;
  }

  reserve(_stream: Stream, bytes: number): number {
    return this.outbound.reserve(bytes);
  }

  commitData(stream: Stream, offset: number, bytes: number, endStream: boolean): void {
    this.outbound.commit(stream, offset, bytes, endStream);
  }

  sendHeaders(stream: Stream, fields: HeaderFields, extra: readonly string[], endStream: boolean): void {
    this.frames.headers(stream.id, fields, extra, endStream);
    if (endStream) stream.endSent();
  }

  sendPending(stream: Stream, addedBytes: number): void {
    this.outbound.pending(stream, addedBytes);
  }

  dropPending(bytes: number): void {
    this.outbound.stopWaiting(bytes);
  }

  admit(stream: Stream, expectedBytes: number): boolean {
    this.requestGate ??= new RequestGate(this.parts);
    return this.requestGate.admits(stream, expectedBytes);
  }

  freeWhenSent(bytes: Uint8Array): void {
    this.frames.freeWhenSent(bytes);
  }

  sendWindowUpdate(streamId: number, increment: number): void {
    this.frames.windowUpdate(streamId, increment);
  }

  sendReset(stream: Stream, code: number): void {
    this.streams.endedLocally(stream.id, mayReceive(stream.state) ? stream.receiveWindow.availableBytes : undefined);
    this.frames.rstStream(stream.id, code);
  }

  releaseConnectionWindow(bytes: number): void {
    this.inbound.releaseWindow(bytes);
  }

  giveBackSmallData(cost: number): void {
    this.inbound.smallData.giveBack(cost);
  }

  lend(stream: Stream, bytes: number): void {
    this.messageCredit ??= new MessageCredit(this.parts);
    this.messageCredit.unfinished.lend(stream, bytes);
  }

  messageComplete(loan: Loan): void {
    this.messageCredit?.unfinished.complete(loan);
  }

  repay(loan: Loan, bytes: number): number {
    return this.messageCredit === undefined ? 0 : this.messageCredit.unfinished.repay(loan, bytes);
  }

  takeRoom(stream: Stream, bytes: number): Promise<void> | undefined {
    if (this.isClosed) return undefined;
    this.messageCredit ??= new MessageCredit(this.parts);
    const { unfinished } = this.messageCredit;
    this.rooms ??= new MessageRooms(unfinished, unfinished.shared, this.clock);
    return this.rooms.take(stream, bytes);
  }

  keepRoom(stream: Stream, bytes: number): void {
    this.rooms?.keep(stream, bytes);
  }

  leaveRoom(stream: Stream): void {
    this.rooms?.leave(stream);
  }

  streamClosed(stream: Stream, inGoodOrder: boolean, before: StreamState): void {
    const answered = this.role === "client" ? StreamState.halfClosedRemote : StreamState.halfClosedLocal;
    if (inGoodOrder || before === answered) this.activity.streamsSucceeded++;
    else this.activity.streamsFailed++;
    this.streams.delete(stream);
    if (this.unrefWhenIdle && stream.isReferenced) this.streamUnreferenced();
    if (stream.isQueued) this.outbound.dequeue(stream);
    this.requestGate?.forget(stream);
    if (!inGoodOrder) return;
    this.streams.endedByPeer(stream.id, "end");
    this.budgets.streamCompleted();
  }

  streamUnreferenced(): void {
    if (this.unrefWhenIdle && --this.referencedStreams === 0) this.socket.unref?.();
  }

  listenerThrew(stream: Stream, error: unknown): void {
    this.inbound.failed(error, stream.id);
  }

  slotReleased(stream: Stream): void {
    this.rooms?.release(stream);
    this.admission.release();
    if (this.isClosed) return;
    if (this.isEnding) this.drainBegun?.endWhenIdle();
    else if (this.role === "client") this.tellCapacity();
  }

  onHeadersTooLarge(): void {
    try {
      this.budgets.glitch();
    } catch (exhausted) {
      this.inbound.failed(exhausted, 0);
    }
  }

  // ---- InboundOwner

  refuses(streamId: number): boolean {
    return this.admission.refuses(streamId);
  }

  openStream(streamId: number, head: RequestHead): Stream {
    const stream = this.newStream(streamId);
    this.admission.add(stream);
    this.phases.busy();
    this.events.onStream?.(stream, head, this);
    return stream;
  }

  ignoreRest(streamId: number): void {
    this.streams.endedLocally(streamId, this.ownSettings.streamAllowanceBytes);
  }

  lateFrame(): void {
    this.budgets.causedReset();
  }

  refuseHeaderList(streamId: number, endStream: boolean): void {
    this.budgets.glitch();
    const stream = this.newStream(streamId);
    this.admission.add(stream);
    this.limitNotifier.tell("header_list", "refused", streamId, "the request's header list is over the limit");
    stream.sendHeaders(this.tooLargeHeaders, true);
    if (endStream) stream.endReceived();
    else stream.reset(ErrorCode.noError);
  }

  largeHeaderList(streamId: number, listBytes: number): void {
    const detail = `a header list of ${listBytes} bytes, more than ${this.limits.largeHeaderListBytes}: other servers may refuse it`;
    this.limitNotifier.tell("large_header_list", "warned", streamId, detail);
  }

  applySetting(setting: number, value: number): void {
    this.peerSettings.apply(setting, value);
  }

  settingsReceived(): void {
    this.controlFrameGuard.answered();
    this.outbound.resume();
    if (this.peerSettings.haveCome) {
      // Not for free: each one costs an answer and a walk over the streams (CVE-2019-9515).
      this.budgets.glitch();
      this.tellCapacity();
      return;
    }
    this.peerSettings.haveCome = true;
    this.events.onReady?.();
  }

  settingsAcknowledged(): void {
    const which = this.ownSettings.acknowledged();
    if (which === "none") this.budgets.glitch();
    else if (which === "first") this.inbound.setMaxTableBytes(this.limits.headerTableBytes);
    else if (which === "tight") this.messageCredit?.tightened();
  }

  pingReceived(): void {
    const framesSent = this.frames.dataFrames + this.frames.headerBlocks;
    this.pingPolicy.received(this.clock.nowMs(), this.streams.size > 0, framesSent);
    this.controlFrameGuard.answered();
  }

  pingAcknowledged(number: number): void {
    this.pings.acknowledged(number);
  }

  dataReceived(bytes: number): void {
    this.windowTuner ??= this.makeWindowTuner();
    this.windowTuner.dataReceived(bytes);
  }

  goawayReceived(goaway: Goaway): void {
    this.draining.peerGoesAway(goaway);
    this.activity.receivedGoawayCode = goaway.code;
    this.events.onGoaway?.(goaway);
    this.draining.abortUnprocessed(goaway);
    this.draining.endWhenIdle();
  }

  failStream(streamId: number, error: Http2Error): void {
    try {
      if (error.blame === "peer") this.budgets.causedReset();
    } catch (exhausted) {
      this.fail(exhausted as Http2Error);
      return;
    }
    if (error.limit !== undefined) this.limitNotifier.tell(error.limit, "reset", streamId, error.message);
    const stream = this.streams.find(streamId);
    if (stream !== undefined) {
      this.resetStream(stream, error);
      return;
    }
    this.streams.endedLocally(streamId, undefined);
    this.frames.rstStream(streamId, error.code);
  }

  /** Ends a stream on both sides. Its listener sees the error. */
  resetStream(stream: Stream, error: Http2Error): void {
    this.sendReset(stream, error.code);
    stream.abort(error);
  }

  fail(error: Http2Error): void {
    this.shutdown.fail(error, error.reason);
  }

  /** As `fail`, for a peer that does not read or answer. */
  abandon(error: Http2Error): void {
    this.shutdown.abandon(error);
  }

  // ---- FrameWriterOwner

  get hasWaitingData(): boolean {
    return this.outbound.hasWaiting;
  }

  onLessWaiting(): void {
    this.requestGate?.onLessWaiting();
  }

  backlogGrew(bytes: number): void {
    if (this.shutdownBegun?.isFailing === true || this.isClosed) return;
    const error = this.controlFrameGuard.backlogGrew(bytes);
    if (error !== undefined) this.abandon(error);
  }

  // ---- ChunkReader

  readChunk(chunk: Uint8Array, from: number): number {
    let stoppedAt: number;
    this.requestGate?.beginTurn();
    try {
      stoppedAt = this.reader.read(chunk, from, this.maxWorkPerTurn);
    } catch (error) {
      this.inbound.failed(error, 0);
      return -1;
    }
    this.phases.afterRead(this.reader.isInsideFrame, this.reader.framesRead, this.clock);
    return stoppedAt;
  }

  // ---- within

  /** No new streams: we have said so, or the peer has, or the connection is about to close. */
  private get isEnding(): boolean {
    const { drainBegun, shutdownBegun } = this;
    return drainBegun?.hasBegun === true || shutdownBegun?.isFailing === true || shutdownBegun?.isClosed === true;
  }

  private get draining(): Drain {
    this.drainBegun ??= new Drain({
      role: this.role,
      clock: this.clock,
      streams: this.streams,
      frames: this.frames,
      pings: this.pings,
      shutdown: this.shutdown,
    });
    return this.drainBegun;
  }

  private get shutdown(): Shutdown {
    this.shutdownBegun ??= new Shutdown({
      role: this.role,
      socket: this.socket,
      clock: this.clock,
      streams: this.streams,
      frames: this.frames,
      outbound: this.outbound,
      stopReading: () => this.stopReading(),
      windowBytes: () => this.inbound.window.availableBytes,
      peerGoaway: () => this.drainBegun?.peerGoaway,
      onFailing: (error) => {
        if (error.limit !== undefined) this.limitNotifier.tell(error.limit, "closed", 0, error.message);
      },
      onGone: (reported, streamsSee) => this.gone(reported, streamsSee),
    });
    return this.shutdownBegun;
  }

  private makeWindowTuner(): WindowTuner {
    const { connectionWindowBytes, maxReceiveWindowBytes } = this.limits;
    return new WindowTuner(this.parts, new WindowGrowth(connectionWindowBytes, maxReceiveWindowBytes, this.allowance));
  }

  private newStream(id: number): Stream {
    const { peerSettings, ownSettings } = this;
    return new Stream(
      id,
      this,
      peerSettings.initialWindowBytes,
      ownSettings.streamWindowBytes,
      ownSettings.streamAllowanceBytes,
    );
  }

  /** May be called in the middle of a stream's end, which has to be told whatever happens here. */
  private tellCapacity(): void {
    try {
      this.events.onCapacity?.();
    } catch (error) {
      this.inbound.failed(error, 0);
    }
  }

  private stopReading(): void {
    this.reader.stop();
    this.pacer.stop();
  }

  private gone(reported: Http2Error | undefined, streamsSaw: Http2Error): void {
    this.ticker.delete(this);
    this.timeLimits.end();
    this.windowTuner?.end();
    this.creditAhead.end();
    this.rooms?.end();
    this.messageCredit?.unfinished.end();
    this.pings.endAll(streamsSaw);
    try {
      this.events.onClose?.(reported, this);
    } catch {
      // Nothing is left that could fail for it, and the socket's event that led here must not end the process.
    }
  }
}
