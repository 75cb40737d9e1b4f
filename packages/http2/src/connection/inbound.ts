import { ErrorCode } from "../errors/error-code.ts";
import { connectionError, Http2Error, limitError, streamError } from "../errors/http2-error.ts";
import { maxUint31, readUint31, readUint32 } from "../frame/frame-header.ts";
import type { FrameSink } from "../frame/frame-reader.ts";
import { Flag, FrameType } from "../frame/frame-type.ts";
import { type Goaway, goawayFixedBytes, readGoaway } from "../frame/goaway.ts";
import { headersDependency, headersFixedBytes, headersFragmentStart } from "../frame/headers.ts";
import { paddingBytes } from "../frame/padding.ts";
import { pingBytes, pingNumber } from "../frame/ping.ts";
import { priorityBytes, priorityDependency } from "../frame/priority.ts";
import { rstStreamBytes } from "../frame/rst-stream.ts";
import { readSettings, settingsEntryBytes, settingsPayloadError } from "../frame/settings.ts";
import { windowUpdateBytes } from "../frame/window-update.ts";
import { type HeaderBlock, HpackDecoder, HpackError, initialTableBytes } from "../hpack/index.ts";
import { afterEndError, idleError, mayReceive } from "../stream/state.ts";
import type { Stream } from "../stream/stream.ts";
import { ReceiveWindow } from "../stream/window.ts";
import type { Budgets } from "./abuse/budgets.ts";
import { SmallDataBudget, smallDataCost } from "./abuse/small-data.ts";
import type { CreditAhead } from "./flow/credit-ahead.ts";
import type { FrameWriter } from "./frame-writer.ts";
import type { ConnectionLimits } from "./limits.ts";
import type { Outbound } from "./outbound.ts";
import { HeaderAssembly } from "./streams/header-assembly.ts";
import { receiveHeaderBlock, type StreamOpener } from "./streams/header-reception.ts";
import type { StreamTable } from "./streams/stream-table.ts";
import type { Clock } from "./time/clock.ts";

/** What the reading of frames asks of the connection. */
export interface InboundOwner extends StreamOpener {
  applySetting(setting: number, value: number): void;
  settingsReceived(): void;
  settingsAcknowledged(): void;
  pingReceived(): void;
  pingAcknowledged(number: number): void;
  goawayReceived(goaway: Goaway): void;
  /** So much data came, in a window that may have to grow. */
  dataReceived(bytes: number): void;
  /** A header list is within the limit, and large all the same. */
  largeHeaderList(streamId: number, listBytes: number): void;
  /** Ends one stream for the peer's fault. */
  failStream(streamId: number, error: Http2Error): void;
  /** Ends the connection. */
  fail(error: Http2Error): void;
  readonly clock: Clock;
}

/** How far below a limit that only loses us a stream the header list may go before the connection is lost too. */
const wayTooLargeFactor = 4;

/** Everything a connection receives: one method per frame type (RFC 9113 §6), each throwing what the peer did wrong. */
export class Inbound implements FrameSink {
  readonly window: ReceiveWindow;
  /** Undefined before the first header block. */
  private decoder: HpackDecoder | undefined = undefined;
  private readonly owner: InboundOwner;
  private readonly streams: StreamTable;
  private readonly outbound: Outbound;
  private readonly frames: FrameWriter;
  private readonly limits: ConnectionLimits;
  private readonly budgets: Budgets;
  readonly smallData = new SmallDataBudget();
  private readonly creditAhead: CreditAhead;
  /** More than usual may be held with credit ahead, see `giveCreditAhead`. */
  private extraAheadBytes = 0;
  private assembly: HeaderAssembly | undefined = undefined;
  private settingsSeen = false;
  /** Mostly one comparison is enough to know that a header list is fine. */
  private readonly notableListBytes: number;

  constructor(
    owner: InboundOwner,
    streams: StreamTable,
    outbound: Outbound,
    limits: ConnectionLimits,
    budgets: Budgets,
    creditAhead: CreditAhead,
  ) {
    this.owner = owner;
    this.streams = streams;
    this.outbound = outbound;
    this.frames = outbound.frames;
    this.limits = limits;
    this.budgets = budgets;
    this.creditAhead = creditAhead;
    const { largeHeaderListBytes, maxHeaderListBytes } = limits;
    const isTold = owner.role === "server" && largeHeaderListBytes > 0;
    this.notableListBytes = Math.min(
      isTold ? largeHeaderListBytes : Number.POSITIVE_INFINITY,
      wayTooLargeFactor * maxHeaderListBytes,
    );
    this.window = new ReceiveWindow(limits.connectionWindowBytes);
  }

  /** The peer has acknowledged the size of the table that it may use. */
  setMaxTableBytes(bytes: number): void {
    // What a decoder begins with needs none yet.
    if (this.decoder === undefined && bytes === initialTableBytes) return;
    this.decoder ??= this.makeDecoder();
    this.decoder.setMaxTableBytes(bytes);
  }

  private makeDecoder(): HpackDecoder {
    const { maxHeaderListBytes, maxHeaderFields } = this.limits;
    return new HpackDecoder({ maxListBytes: maxHeaderListBytes, maxFields: maxHeaderFields });
  }

  /** When the header block began that is still incomplete. */
  get headersSinceMs(): number | undefined {
    return this.assembly?.startedAtMs;
  }

  onFrame(type: number, flags: number, streamId: number, bytes: Uint8Array, start: number, end: number): void {
    try {
      if (!this.settingsSeen) this.expectSettings(type, flags);
      if (this.assembly !== undefined) this.expectContinuation(this.assembly, type, streamId);
      switch (type) {
        case FrameType.data:
          this.data(flags, streamId, bytes, start, end, false);
          break;
        case FrameType.headers:
          this.headers(flags, streamId, bytes, start, end);
          break;
        case FrameType.windowUpdate:
          this.windowUpdate(streamId, bytes, start, end);
          break;
        case FrameType.rstStream:
          this.rstStream(streamId, bytes, start, end);
          break;
        case FrameType.settings:
          this.settings(flags, streamId, bytes, start, end);
          break;
        case FrameType.ping:
          this.ping(flags, streamId, bytes, start, end);
          break;
        case FrameType.goaway:
          this.goaway(streamId, bytes, start, end);
          break;
        case FrameType.continuation:
          this.continuation(flags, bytes, start, end);
          break;
        case FrameType.priority:
          this.priority(streamId, bytes, start, end);
          break;
        case FrameType.pushPromise:
          throw connectionError(ErrorCode.protocolError, "PUSH_PROMISE came although push is off");
        default:
          // §5.5: unknown types are ignored, but not for free.
          this.budgets.glitch();
      }
    } catch (error) {
      this.failed(error, streamId);
    }
  }

  onDataPiece(streamId: number, bytes: Uint8Array, start: number, end: number): void {
    try {
      if (!this.settingsSeen) this.expectSettings(FrameType.data, 0);
      if (this.assembly !== undefined) this.expectContinuation(this.assembly, FrameType.data, streamId);
      this.data(0, streamId, bytes, start, end, true);
    } catch (error) {
      this.failed(error, streamId);
    }
  }

  /** The one place where what goes wrong while reading becomes a reset or a GOAWAY; nothing leaves this class as a throw. */
  failed(error: unknown, streamId: number): void {
    if (error instanceof HpackError) {
      this.owner.fail(connectionError(ErrorCode.compressionError, error.message));
    } else if (error instanceof Http2Error && error.scope === "connection") {
      this.owner.fail(error);
    } else if (error instanceof Http2Error && error.blame === "peer") {
      this.owner.failStream(streamId, error);
    } else {
      // The layer above threw: this costs the stream it was called for, and the connection when there is none.
      const scope = streamId === 0 ? "connection" : "stream";
      const failure = new Http2Error("a listener threw", { scope, blame: "local", cause: error });
      if (scope === "connection") this.owner.fail(failure);
      else this.owner.failStream(streamId, failure);
    }
  }

  private expectSettings(type: number, flags: number): void {
    if (type !== FrameType.settings || (flags & Flag.ack) !== 0) {
      throw connectionError(ErrorCode.protocolError, "the first frame is no SETTINGS frame");
    }
    this.settingsSeen = true;
  }

  private expectContinuation(assembly: HeaderAssembly, type: number, streamId: number): void {
    if (type !== FrameType.continuation || streamId !== assembly.streamId) {
      throw connectionError(ErrorCode.protocolError, "a header block was interrupted by another frame");
    }
  }

  /** `isPiece`: of a larger frame, cut where the network cut it. How small it is says nothing about the peer. */
  private data(flags: number, streamId: number, bytes: Uint8Array, start: number, end: number, isPiece: boolean): void {
    const payloadBytes = end - start;
    if (streamId === 0) throw connectionError(ErrorCode.protocolError, "DATA came on stream 0");
    if (!this.window.receive(payloadBytes)) {
      throw connectionError(ErrorCode.flowControlError, "DATA went over the connection's window");
    }
    this.owner.dataReceived(payloadBytes);
    const padding = paddingBytes(flags, bytes, start, end, 0);
    const stream = this.streams.find(streamId);
    if (stream === undefined || !mayReceive(stream.state)) {
      // §5.1: counted all the same, and given back, because no one will consume it.
      this.releaseWindow(payloadBytes);
      this.dataOnClosed(streamId, stream, payloadBytes, (flags & Flag.endStream) !== 0);
      return;
    }
    if (!stream.receiveWindow.receive(payloadBytes)) {
      this.releaseWindow(payloadBytes);
      throw streamError(ErrorCode.flowControlError, `DATA went over the window of stream ${streamId}`);
    }
    const contentStart = (flags & Flag.padded) === 0 ? start : start + 1;
    const content = end - padding - contentStart;
    const endStream = (flags & Flag.endStream) !== 0;
    const cost = isPiece ? 0 : smallDataCost(content, endStream);
    stream.dataReceived(content, cost);
    if (cost > 0) this.smallData.spend(cost, this.window.size);
    if (this.creditAhead.give(payloadBytes, this.maxAheadBytes)) this.returnCredit(payloadBytes);
    if (content < payloadBytes) stream.giveCredit(payloadBytes - content);
    if (stream.listener === undefined || (this.owner.role === "client" && !stream.headReceived)) {
      throw streamError(ErrorCode.protocolError, "DATA came before the response's head");
    }
    if (stream.expectedBytes !== -1) {
      stream.expectedBytes -= content;
      if (stream.expectedBytes < 0) throw streamError(ErrorCode.protocolError, "more data than content-length says");
    }
    if (content > 0) stream.listener.onData(bytes, contentStart, contentStart + content);
    else if (!endStream) this.budgets.glitch();
    if (endStream && !stream.isClosed) this.endOf(stream);
  }

  private dataOnClosed(streamId: number, stream: Stream | undefined, bytes: number, endStream: boolean): void {
    if (stream !== undefined) throw afterEndError(streamId);
    if (this.streams.isIdle(streamId)) throw idleError(streamId, "DATA");
    this.streams.refuseFramesBehindPeersEnd(streamId, "DATA");
    const arrival = this.streams.dataAfterReset(streamId, bytes, endStream);
    if (arrival === undefined) throw afterEndError(streamId);
    if (arrival === "late") this.owner.lateFrame();
    else if (bytes === 0 && !endStream) this.budgets.glitch();
  }

  private endOf(stream: Stream): void {
    if (stream.expectedBytes > 0) throw streamError(ErrorCode.protocolError, "less data than content-length says");
    stream.endReceived();
    stream.listener?.onEnd();
  }

  private headers(flags: number, streamId: number, bytes: Uint8Array, start: number, end: number): void {
    if (streamId === 0) throw connectionError(ErrorCode.protocolError, "HEADERS came on stream 0");
    const fixed = headersFixedBytes(flags, start, end);
    const padding = paddingBytes(flags, bytes, start, end, fixed);
    const dependency = headersDependency(flags, bytes, start);
    const from = headersFragmentStart(flags, start);
    const to = end - padding;
    const endStream = (flags & Flag.endStream) !== 0;
    if ((flags & Flag.endHeaders) !== 0) {
      this.headerBlock(streamId, endStream, dependency, bytes, from, to);
      return;
    }
    const assembly = new HeaderAssembly(streamId, endStream, dependency, this.owner.clock.nowMs(), this.limits);
    assembly.begin(bytes, from, to);
    this.assembly = assembly;
  }

  private continuation(flags: number, bytes: Uint8Array, start: number, end: number): void {
    const { assembly } = this;
    if (assembly === undefined) throw connectionError(ErrorCode.protocolError, "CONTINUATION came behind no HEADERS");
    if (start === end) this.budgets.glitch();
    assembly.proceed(bytes, start, end);
    if ((flags & Flag.endHeaders) === 0) return;
    this.assembly = undefined;
    const block = assembly.complete();
    this.headerBlock(assembly.streamId, assembly.endStream, assembly.dependency, block, 0, block.length);
  }

  private headerBlock(
    streamId: number,
    endStream: boolean,
    dependency: number,
    bytes: Uint8Array,
    start: number,
    end: number,
  ): void {
    // Decoded whatever becomes of the stream: the table has to stay in step with the peer's (RFC 7541 §2.2).
    this.decoder ??= this.makeDecoder();
    const block: HeaderBlock = this.decoder.decode(bytes, start, end);
    if (block.listBytes > this.notableListBytes) this.largeHeaderList(streamId, block);
    receiveHeaderBlock(this.owner, this.streams, streamId, endStream, dependency, block);
  }

  private largeHeaderList(streamId: number, block: HeaderBlock): void {
    if (block.listBytes > wayTooLargeFactor * this.limits.maxHeaderListBytes) {
      throw limitError("header_list", ErrorCode.enhanceYourCalm, "header_list_way_too_large");
    }
    if (!block.overLimit) this.owner.largeHeaderList(streamId, block.listBytes);
  }

  private priority(streamId: number, bytes: Uint8Array, start: number, end: number): void {
    if (streamId === 0) throw connectionError(ErrorCode.protocolError, "PRIORITY came on stream 0");
    this.budgets.glitch();
    // §6.4: a stream that no one has opened cannot be reset.
    const errorHere = this.streams.isIdle(streamId) ? connectionError : streamError;
    if (end - start !== priorityBytes) {
      throw errorHere(ErrorCode.frameSizeError, `a PRIORITY frame has ${end - start} bytes, not ${priorityBytes}`);
    }
    if (priorityDependency(bytes, start) === streamId) {
      throw errorHere(ErrorCode.protocolError, `stream ${streamId} depends on itself`);
    }
  }

  private rstStream(streamId: number, bytes: Uint8Array, start: number, end: number): void {
    if (streamId === 0) throw connectionError(ErrorCode.protocolError, "RST_STREAM came on stream 0");
    if (end - start !== rstStreamBytes) {
      throw connectionError(ErrorCode.frameSizeError, `an RST_STREAM frame has ${end - start} bytes, not 4`);
    }
    if (this.streams.isIdle(streamId)) throw idleError(streamId, "RST_STREAM");
    const code = readUint32(bytes, start);
    const stream = this.streams.find(streamId);
    if (stream === undefined) {
      this.streams.resetAfterEnd(streamId);
      this.budgets.resetAfterEnd(this.streams.opened);
      return;
    }
    // A server resets only what we have opened, so its resets are as many as we like.
    if (this.owner.role === "server") {
      if (stream.listener?.isResetExpected?.() === true) this.budgets.expectedReset();
      else this.budgets.peerReset();
    }
    this.streams.endedByPeer(streamId, "reset");
    stream.abort(
      new Http2Error("the peer reset the stream", {
        scope: "stream",
        blame: "peer",
        code,
        unprocessed: code === ErrorCode.refusedStream,
      }),
    );
  }

  private settings(flags: number, streamId: number, bytes: Uint8Array, start: number, end: number): void {
    if (streamId !== 0) throw connectionError(ErrorCode.protocolError, "SETTINGS came on a stream");
    const ack = (flags & Flag.ack) !== 0;
    const wrong = settingsPayloadError(end - start, ack, this.limits.maxSettingsEntries);
    if (wrong !== undefined) {
      if (end - start <= this.limits.maxSettingsEntries * settingsEntryBytes) {
        throw connectionError(ErrorCode.frameSizeError, wrong);
      }
      throw limitError("settings_entries", ErrorCode.frameSizeError, wrong);
    }
    if (ack) {
      this.owner.settingsAcknowledged();
      return;
    }
    readSettings(bytes, start, end, (setting, value) => this.owner.applySetting(setting, value));
    this.frames.settingsAck();
    this.owner.settingsReceived();
  }

  private ping(flags: number, streamId: number, bytes: Uint8Array, start: number, end: number): void {
    if (streamId !== 0) throw connectionError(ErrorCode.protocolError, "PING came on a stream");
    if (end - start !== pingBytes) {
      throw connectionError(ErrorCode.frameSizeError, `a PING frame has ${end - start} bytes, not ${pingBytes}`);
    }
    if ((flags & Flag.ack) !== 0) {
      this.owner.pingAcknowledged(pingNumber(bytes, start));
      return;
    }
    this.frames.pingAck(bytes, start);
    this.owner.pingReceived();
  }

  private goaway(streamId: number, bytes: Uint8Array, start: number, end: number): void {
    if (streamId !== 0) throw connectionError(ErrorCode.protocolError, "GOAWAY came on a stream");
    if (end - start < goawayFixedBytes) throw connectionError(ErrorCode.frameSizeError, "a GOAWAY frame is too short");
    this.owner.goawayReceived(readGoaway(bytes, start, end));
  }

  private windowUpdate(streamId: number, bytes: Uint8Array, start: number, end: number): void {
    if (end - start !== windowUpdateBytes) {
      throw connectionError(ErrorCode.frameSizeError, `a WINDOW_UPDATE frame has ${end - start} bytes, not 4`);
    }
    const { dataFrames, dataBytes } = this.frames;
    this.budgets.windowUpdate(this.streams.opened, dataFrames, dataBytes);
    const increment = readUint31(bytes, start);
    if (streamId === 0) {
      if (increment === 0) throw connectionError(ErrorCode.protocolError, "a window update of 0");
      if (!this.outbound.window.shift(increment)) {
        throw connectionError(ErrorCode.flowControlError, `the connection's window went over ${maxUint31}`);
      }
      this.outbound.resume();
      return;
    }
    if (this.streams.isIdle(streamId)) throw idleError(streamId, "WINDOW_UPDATE");
    const stream = this.streams.find(streamId);
    // A window update may cross the stream's end (§5.1); only nonsense on a living stream is an error.
    if (stream === undefined) return;
    if (increment === 0) throw streamError(ErrorCode.protocolError, "a window update of 0");
    if (!stream.sendWindow.shift(increment)) {
      throw streamError(ErrorCode.flowControlError, `the window of stream ${streamId} went over ${maxUint31}`);
    }
    if (stream.isQueued) this.outbound.resumeStream(stream);
  }

  /** Bytes have been used up, or no one will. */
  releaseWindow(payloadBytes: number): void {
    const due = this.creditAhead.repay(payloadBytes);
    if (due > 0) this.returnCredit(due);
  }

  /** Bytes of all streams that no one has used up. */
  get heldBytes(): number {
    return this.window.heldBytes + this.creditAhead.heldBytes;
  }

  private get maxAheadBytes(): number {
    return Math.max(0, this.limits.maxReceiveWindowBytes - this.window.size) + this.extraAheadBytes;
  }

  /**
   * What is held gets the connection's credit now, and so does what streams with small windows can send: those that wait for credit of
   * their own must not keep the connection's from those that have it.
   */
  giveCreditAhead(streamWindowBytes: number): void {
    const held = this.window.heldBytes;
    this.extraAheadBytes = this.heldBytes + this.limits.maxConcurrentStreams * streamWindowBytes;
    if (held > 0 && this.creditAhead.give(held, this.maxAheadBytes)) this.returnCredit(held);
  }

  /** From now on credit ahead is bounded as usual. */
  endCreditAhead(): void {
    this.extraAheadBytes = 0;
  }

  private returnCredit(payloadBytes: number): void {
    const increment = this.window.release(payloadBytes);
    if (increment > 0) this.frames.windowUpdate(0, increment);
  }
}
