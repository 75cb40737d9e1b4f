import { ErrorCode } from "../errors/error-code.ts";
import { connectionError, Http2Error, limitError, streamError } from "../errors/http2-error.ts";
import { maxUint31, readUint31, readUint32 } from "../frame/frame-header.ts";
import type { FrameHead, FrameSink } from "../frame/frame-reader.ts";
import { Flag, FrameType } from "../frame/frame-type.ts";
import { headersDependency, headersFragmentEnd, headersFragmentStart } from "../frame/headers.ts";
import { contentEnd } from "../frame/padding.ts";
import { rstStreamBytes } from "../frame/rst-stream.ts";
import { windowUpdateBytes } from "../frame/window-update.ts";
import { type HeaderBlock, HpackDecoder, HpackError, initialTableBytes } from "../hpack/index.ts";
import { afterEndError, idleError } from "../stream/state.ts";
import type { Stream } from "../stream/stream.ts";
import type { Budgets } from "./abuse/budgets.ts";
import type { LimitNotifier } from "./abuse/limit-notifier.ts";
import { smallDataCost } from "./abuse/small-data.ts";
import type { ControlFrames } from "./control-frames.ts";
import type { ConnectionCredit } from "./flow/connection-credit.ts";
import { type GrowthAllowance, WindowGrowth } from "./flow/window-growth.ts";
import { WindowTuner, type WindowTunerParts } from "./flow/window-tuner.ts";
import type { FrameWriter } from "./frame-writer.ts";
import type { ConnectionLimits } from "./limits.ts";
import type { Outbound } from "./outbound.ts";
import type { Role } from "./role.ts";
import { HeaderAssembly } from "./streams/header-assembly.ts";
import { type HeaderFrame, receiveHeaderBlock } from "./streams/header-reception.ts";
import type { StreamRegistry } from "./streams/stream-registry.ts";
import type { StreamTable } from "./streams/stream-table.ts";

/** What the frame handlers need of the connection. */
export interface InboundOwner {
  /** Ends the connection. */
  fail(error: Http2Error): void;
}

export interface InboundParts extends WindowTunerParts {
  readonly role: Role;
  readonly limits: ConnectionLimits;
  readonly frames: FrameWriter;
  readonly outbound: Outbound;
  readonly budgets: Budgets;
  readonly allowance: GrowthAllowance;
  readonly registry: StreamRegistry;
  readonly control: ControlFrames;
  readonly limitNotifier: LimitNotifier;
  readonly connection: InboundOwner;
}

/** How far below a limit that only loses us a stream the header list may go before the connection is lost too. */
const wayTooLargeFactor = 4;

/** Everything a connection receives: one method per frame type (RFC 9113 §6), each throwing what the peer did wrong. */
export class Inbound implements FrameSink {
  private readonly parts: InboundParts;
  private readonly streams: StreamTable;
  private readonly credit: ConnectionCredit;
  private readonly isClient: boolean;
  /** Undefined before the first header block. */
  private decoder: HpackDecoder | undefined = undefined;
  /** Undefined before the first data. */
  private windowTuner: WindowTuner | undefined = undefined;
  private assembly: HeaderAssembly | undefined = undefined;
  /** Of a block that is one frame; undefined before the first. */
  private headerFrame: { streamId: number; endStream: boolean; dependency: number } | undefined = undefined;
  private settingsSeen = false;
  /** Mostly one comparison is enough to know that a header list is fine. */
  private readonly notableListBytes: number;

  constructor(parts: InboundParts) {
    this.parts = parts;
    this.streams = parts.streams;
    this.credit = parts.credit;
    this.isClient = parts.role === "client";
    const { largeListBytes, maxListBytes } = parts.limits.headers;
    const isReported = !this.isClient && largeListBytes > 0;
    this.notableListBytes = Math.min(
      isReported ? largeListBytes : Number.POSITIVE_INFINITY,
      wayTooLargeFactor * maxListBytes,
    );
  }

  /** The peer has acknowledged the size of the table that it may use. */
  setMaxTableBytes(bytes: number): void {
    // What a decoder begins with needs none yet.
    if (this.decoder === undefined && bytes === initialTableBytes) return;
    this.decoder ??= this.makeDecoder();
    this.decoder.setMaxTableBytes(bytes);
  }

  private makeDecoder(): HpackDecoder {
    const { maxListBytes, maxFields } = this.parts.limits.headers;
    return new HpackDecoder({ maxListBytes, maxFields });
  }

  /** The connection is gone. */
  end(): void {
    this.windowTuner?.end();
  }

  /** When the header block began that is still incomplete. */
  get headersSinceMs(): number | undefined {
    return this.assembly?.startedAtMs;
  }

  onFrame(head: FrameHead, bytes: Uint8Array, start: number, end: number): void {
    const { type, flags, streamId } = head;
    try {
      if (!this.settingsSeen) this.expectSettings(type, flags);
      if (this.assembly !== undefined) this.expectContinuation(this.assembly, type, streamId);
      switch (type) {
        case FrameType.data:
          this.data(head, bytes, start, end);
          break;
        case FrameType.headers:
          this.headers(head, bytes, start, end);
          break;
        case FrameType.windowUpdate:
          this.windowUpdate(streamId, bytes, start, end);
          break;
        case FrameType.rstStream:
          this.rstStream(streamId, bytes, start, end);
          break;
        case FrameType.settings:
          onConnection("SETTINGS", streamId);
          this.parts.control.settings(flags, bytes, start, end);
          break;
        case FrameType.ping:
          onConnection("PING", streamId);
          this.parts.control.ping(flags, bytes, start, end);
          break;
        case FrameType.goaway:
          onConnection("GOAWAY", streamId);
          this.parts.control.goaway(bytes, start, end);
          break;
        case FrameType.continuation:
          this.continuation(flags, bytes, start, end);
          break;
        case FrameType.priority:
          onStream("PRIORITY", streamId);
          this.parts.control.priority(streamId, bytes, start, end);
          break;
        case FrameType.pushPromise:
          throw connectionError(ErrorCode.protocolError, "PUSH_PROMISE came although push is off");
        default:
          // §5.5: unknown types are ignored, but not for free.
          this.parts.budgets.glitch();
      }
    } catch (error) {
      this.failed(error, streamId);
    }
  }

  /** Turns every error of reading into a reset or a GOAWAY; this class never throws to its caller. */
  failed(error: unknown, streamId: number): void {
    if (error instanceof HpackError) {
      this.parts.connection.fail(connectionError(ErrorCode.compressionError, error.message));
    } else if (error instanceof Http2Error && error.scope === "connection") {
      this.parts.connection.fail(error);
    } else if (error instanceof Http2Error && error.blame === "peer") {
      this.parts.registry.failStream(streamId, error);
    } else {
      // The layer above threw: this ends the stream that it was called for, or the connection when it was not called for a stream.
      const scope = streamId === 0 ? "connection" : "stream";
      const failure = new Http2Error("a listener threw", { scope, blame: "local", cause: error });
      if (scope === "connection") this.parts.connection.fail(failure);
      else this.parts.registry.failStream(streamId, failure);
    }
  }

  private expectSettings(type: number, flags: number): void {
    if (type !== FrameType.settings || (flags & Flag.ack) !== 0) {
      throw connectionError(ErrorCode.protocolError, "the first frame is no SETTINGS frame");
    }
    this.settingsSeen = true;
  }

  private expectContinuation(assembly: HeaderAssembly, type: number, streamId: number): void {
    if (type !== FrameType.continuation || streamId !== assembly.frame.streamId) {
      throw connectionError(ErrorCode.protocolError, "a header block was interrupted by another frame");
    }
  }

  private data({ flags, streamId, isPiece }: FrameHead, bytes: Uint8Array, start: number, end: number): void {
    const payloadBytes = end - start;
    onStream("DATA", streamId);
    this.credit.receive(payloadBytes);
    this.windowTuner ??= this.makeWindowTuner();
    this.windowTuner.dataReceived(payloadBytes);
    const stop = contentEnd(flags, bytes, start, end);
    const stream = this.streams.find(streamId);
    if (stream === undefined || !stream.canReceive) {
      // §5.1: it counts in the connection's window, and is credited at once, because no one will consume it.
      this.credit.release(payloadBytes);
      this.dataOnClosed(streamId, stream, payloadBytes, (flags & Flag.endStream) !== 0);
      return;
    }
    if (!stream.receive.receive(payloadBytes)) {
      this.credit.release(payloadBytes);
      throw streamError(ErrorCode.flowControlError, `DATA went over the window of stream ${streamId}`);
    }
    const contentStart = (flags & Flag.padded) === 0 ? start : start + 1;
    const content = stop - contentStart;
    const endStream = (flags & Flag.endStream) !== 0;
    // A piece was cut where the network cut it: how small it is says nothing about the peer.
    const cost = isPiece ? 0 : smallDataCost(content, endStream);
    stream.receive.onData(content, cost);
    if (cost > 0) this.credit.smallData.spend(cost, this.credit.window.size);
    this.credit.delivered(payloadBytes);
    if (content < payloadBytes) stream.giveCredit(payloadBytes - content);
    if (stream.listener === undefined || (this.isClient && !stream.receive.hasHead)) {
      throw streamError(ErrorCode.protocolError, "DATA came before the response's head");
    }
    stream.receive.onContent(content);
    if (content > 0) stream.listener.onData(bytes, contentStart, stop);
    else if (!endStream) this.parts.budgets.glitch();
    if (endStream && !stream.isClosed) this.endOf(stream);
  }

  private dataOnClosed(streamId: number, stream: Stream | undefined, bytes: number, endStream: boolean): void {
    if (stream !== undefined) throw afterEndError(streamId);
    if (this.streams.isIdle(streamId)) throw idleError(streamId, "DATA");
    this.streams.refuseFramesAfterPeersEnd(streamId, "DATA");
    const arrival = this.streams.dataAfterReset(streamId, bytes, endStream);
    if (arrival === undefined) throw afterEndError(streamId);
    if (arrival === "late") this.parts.registry.lateFrame();
    else if (bytes === 0 && !endStream) this.parts.budgets.glitch();
  }

  private endOf(stream: Stream): void {
    stream.receive.checkComplete();
    stream.endReceived();
    stream.listener?.onEnd();
  }

  private headers({ flags, streamId }: FrameHead, bytes: Uint8Array, start: number, end: number): void {
    onStream("HEADERS", streamId);
    const from = headersFragmentStart(flags, start, end);
    const to = headersFragmentEnd(flags, bytes, start, end);
    const dependency = headersDependency(flags, bytes, start);
    const endStream = (flags & Flag.endStream) !== 0;
    if ((flags & Flag.endHeaders) !== 0) {
      this.headerFrame ??= { streamId, endStream, dependency };
      const { headerFrame } = this;
      headerFrame.streamId = streamId;
      headerFrame.endStream = endStream;
      headerFrame.dependency = dependency;
      this.headerBlock(headerFrame, bytes, from, to);
      return;
    }
    const assembly = new HeaderAssembly(
      { streamId, endStream, dependency },
      this.parts.clock.nowMs(),
      this.parts.limits,
    );
    assembly.begin(bytes, from, to);
    this.assembly = assembly;
  }

  private continuation(flags: number, bytes: Uint8Array, start: number, end: number): void {
    const { assembly } = this;
    if (assembly === undefined) throw connectionError(ErrorCode.protocolError, "CONTINUATION came behind no HEADERS");
    if (start === end) this.parts.budgets.glitch();
    assembly.proceed(bytes, start, end);
    if ((flags & Flag.endHeaders) === 0) return;
    this.assembly = undefined;
    const block = assembly.complete();
    this.headerBlock(assembly.frame, block, 0, block.length);
  }

  private headerBlock(frame: HeaderFrame, bytes: Uint8Array, start: number, end: number): void {
    // Decoded whatever becomes of the stream: the table has to stay in step with the peer's (RFC 7541 §2.2).
    this.decoder ??= this.makeDecoder();
    const block: HeaderBlock = this.decoder.decode(bytes, start, end);
    if (block.listBytes > this.notableListBytes) this.largeHeaderList(frame.streamId, block);
    receiveHeaderBlock(this.parts.registry, this.streams, frame, block);
  }

  private largeHeaderList(streamId: number, block: HeaderBlock): void {
    const { limits, limitNotifier } = this.parts;
    if (block.listBytes > wayTooLargeFactor * limits.headers.maxListBytes) {
      throw limitError("header_list", ErrorCode.enhanceYourCalm, "header_list_way_too_large");
    }
    if (block.overLimit) return;
    const detail = `a header list of ${block.listBytes} bytes, more than ${limits.headers.largeListBytes}: other servers may refuse it`;
    limitNotifier.notify("large_header_list", "warned", streamId, detail);
  }

  private rstStream(streamId: number, bytes: Uint8Array, start: number, end: number): void {
    onStream("RST_STREAM", streamId);
    if (end - start !== rstStreamBytes) {
      throw connectionError(ErrorCode.frameSizeError, `an RST_STREAM frame has ${end - start} bytes, not 4`);
    }
    if (this.streams.isIdle(streamId)) throw idleError(streamId, "RST_STREAM");
    const code = readUint32(bytes, start);
    const stream = this.streams.find(streamId);
    if (stream === undefined) {
      this.streams.resetAfterEnd(streamId);
      this.parts.budgets.resetAfterEnd(this.streams.opened);
      return;
    }
    // A server resets only what we have opened, so its resets are as many as we like.
    if (!this.isClient) {
      if (stream.listener?.isResetExpected?.() === true) this.parts.budgets.expectedReset();
      else this.parts.budgets.peerReset();
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

  private windowUpdate(streamId: number, bytes: Uint8Array, start: number, end: number): void {
    if (end - start !== windowUpdateBytes) {
      throw connectionError(ErrorCode.frameSizeError, `a WINDOW_UPDATE frame has ${end - start} bytes, not 4`);
    }
    const { frames, outbound } = this.parts;
    this.parts.budgets.windowUpdate(this.streams.opened, frames.data.frames, frames.data.bytes);
    const increment = readUint31(bytes, start);
    if (streamId === 0) {
      if (increment === 0) throw connectionError(ErrorCode.protocolError, "a window update of 0");
      if (!outbound.window.shift(increment)) {
        throw connectionError(ErrorCode.flowControlError, `the connection's window went over ${maxUint31}`);
      }
      outbound.resume();
      return;
    }
    if (this.streams.isIdle(streamId)) throw idleError(streamId, "WINDOW_UPDATE");
    const stream = this.streams.find(streamId);
    // A window update may cross the stream's end (§5.1); only nonsense on a living stream is an error.
    if (stream === undefined) return;
    if (increment === 0) throw streamError(ErrorCode.protocolError, "a window update of 0");
    if (!stream.send.shift(increment)) {
      throw streamError(ErrorCode.flowControlError, `the window of stream ${streamId} went over ${maxUint31}`);
    }
    if (stream.send.isQueued) outbound.resumeStream(stream);
  }

  private makeWindowTuner(): WindowTuner {
    const { limits, allowance } = this.parts;
    const { connectionBytes, maxBytes } = limits.windows;
    return new WindowTuner(this.parts, new WindowGrowth(connectionBytes, maxBytes, allowance));
  }
}

function onConnection(frame: string, streamId: number): void {
  if (streamId !== 0) throw connectionError(ErrorCode.protocolError, `${frame} came on a stream`);
}

function onStream(frame: string, streamId: number): void {
  if (streamId === 0) throw connectionError(ErrorCode.protocolError, `${frame} came on stream 0`);
}
