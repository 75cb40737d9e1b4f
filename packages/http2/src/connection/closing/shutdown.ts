import { ErrorCode } from "../../errors/error-code.ts";
import { Http2Error } from "../../errors/http2-error.ts";
import { type Goaway, withDebugData } from "../../frame/goaway.ts";
import type { ByteChannel } from "../byte-channel.ts";
import type { FrameWriter } from "../frame-writer.ts";
import type { Outbound } from "../outbound.ts";
import type { Role } from "../role.ts";
import type { StreamTable } from "../streams/stream-table.ts";
import type { Clock } from "../time/clock.ts";

/** A fatal GOAWAY has this long to reach a peer that does not read. */
const goawayFlushMs = 1000;

/**
 * After the end, so much is read and thrown away in addition to what the window allows: frames that count in no window, such as requests, and
 * the headers of DATA frames. A peer that sends more ignores the end.
 */
const maxDiscardedControlBytes = 262_144;

/** What a shutdown ends, and what it notifies. */
export interface ShutdownParts {
  readonly role: Role;
  readonly socket: ByteChannel;
  readonly clock: Clock;
  readonly streams: StreamTable;
  readonly frames: FrameWriter;
  readonly outbound: Outbound;
  /** Nothing that still comes is looked at. */
  stopReading(): void;
  /** DATA that the peer may still send, by the connection's window. */
  windowBytes(): number;
  /** The latest GOAWAY that the peer has sent. */
  peerGoaway(): Goaway | undefined;
  /** The connection ends by this error; its streams are still open. */
  onFailing(error: Http2Error): void;
  /** The socket and the streams are gone. `reported` is undefined when that happened in good order. */
  onGone(reported: Http2Error | undefined, streamsSaw: Http2Error): void;
}

/** How a connection ends: after its last response, by an error that is sent to the peer, or because the socket has closed. */
export class Shutdown {
  /** By an error, or by a call of `close`. */
  isFailing = false;
  isClosed = false;
  private hasEnded = false;
  private readonly parts: ShutdownParts;
  private discardedBytes = 0;
  private closeError: Http2Error | undefined = undefined;
  private cancelDestroy: (() => void) | undefined = undefined;

  constructor(parts: ShutdownParts) {
    this.parts = parts;
  }

  /** Nothing is left to do: what has been written leaves, and the socket is closed. */
  end(): void {
    if (this.hasEnded || this.isFailing || this.isClosed) return;
    this.hasEnded = true;
    // What the peer still sends is of no interest, and answering it would be a write after the end.
    this.parts.stopReading();
    this.endSocket();
  }

  /** GOAWAY, then the socket's end; what the peer still sends is read and thrown away so that the GOAWAY arrives. */
  fail(error: Http2Error, reason: string): void {
    if (this.isFailing || this.isClosed) return;
    const { role, streams, frames } = this.parts;
    this.isFailing = true;
    this.parts.onFailing(error);
    this.closeError = error.blame === "local" && error.code === ErrorCode.noError ? undefined : error;
    this.parts.stopReading();
    const lastStreamId = Math.min(streams.lastStreamId, streams.lastAllowedStreamId);
    frames.goaway(role === "server" ? lastStreamId : 0, error.code, ascii(reason));
    this.abortStreams(error);
    this.endSocket();
  }

  /** Somebody wants the connection to end now. */
  close(code: number, reason: string, message: string): void {
    this.fail(new Http2Error(message, { scope: "connection", blame: "local", code }), reason);
  }

  /** The peer does not read or respond, so we do not send anything more. */
  abandon(error: Http2Error): void {
    this.isFailing = true;
    this.parts.onFailing(error);
    this.closeError = error;
    this.parts.stopReading();
    this.parts.socket.destroy();
    this.finish(error, error);
  }

  /**
   * Bytes have arrived that nothing reads. They are taken from the socket so that the GOAWAY arrives (a socket that is closed with unread
   * bytes sends a reset), but no more than an honest peer may have sent before it knew. Beyond that the socket stays open, unread, until its
   * time is over: it costs nothing, and does not help a peer that ignores the end to its next connection.
   */
  discarded(bytes: number): void {
    if ((!this.isFailing && !this.hasEnded) || this.isClosed) return;
    this.discardedBytes += bytes;
    if (this.discardedBytes > this.parts.windowBytes() + maxDiscardedControlBytes) this.parts.socket.pause();
  }

  /** The socket is gone. */
  socketClosed(cause: Error | undefined): void {
    if (this.isClosed) return;
    const inGoodOrder = cause === undefined && (this.hasEnded || this.parts.streams.size === 0);
    const lost = this.lostError(cause);
    this.finish(this.isFailing ? this.closeError : inGoodOrder ? undefined : lost, lost);
  }

  /** What the streams see: a peer that has sent a GOAWAY has said why it closes the connection. */
  private lostError(cause: Error | undefined): Http2Error {
    const message = cause === undefined ? "the peer closed the connection" : "the connection was lost";
    const goaway = this.parts.peerGoaway();
    if (goaway === undefined) return new Http2Error(message, { scope: "connection", blame: "peer", cause });
    const { code } = goaway;
    return new Http2Error(withDebugData(message, goaway), { scope: "connection", blame: "peer", code, cause });
  }

  private endSocket(): void {
    const { socket, frames, outbound } = this.parts;
    frames.flush();
    // What has been written may have been too much.
    if (this.isClosed) return;
    outbound.close();
    socket.resume();
    socket.end();
    this.destroySoon();
  }

  private destroySoon(): void {
    this.cancelDestroy?.();
    this.cancelDestroy = this.parts.clock.after(goawayFlushMs, () => {
      // A slow peer may need longer for the last responses of a drain; the stall time-out watches over that.
      if (!this.isFailing && this.parts.socket.writableLength > 0) this.destroySoon();
      else this.parts.socket.destroy();
    });
  }

  private abortStreams(error: Http2Error): void {
    for (const stream of this.parts.streams.all()) stream.abort(error);
  }

  private finish(reported: Http2Error | undefined, streamsSee: Http2Error): void {
    this.isClosed = true;
    this.parts.stopReading();
    this.cancelDestroy?.();
    this.abortStreams(streamsSee);
    this.parts.outbound.close();
    this.parts.onGone(reported, streamsSee);
  }
}

/** Debug data is read by people in logs; what is not printable ASCII would only garble it. */
function ascii(text: string): string {
  let out = "";
  for (const char of text.slice(0, 256)) out += char >= " " && char <= "~" ? char : "?";
  return out;
}
