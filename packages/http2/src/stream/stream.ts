import { ErrorCode } from "../errors/error-code.ts";
import { callerError, type Http2Error } from "../errors/http2-error.ts";
import { frameHeaderBytes } from "../frame/frame-header.ts";
import type { TurnWork } from "../frame/turn-work.ts";
import type { PreparedHeaders } from "../hpack/index.ts";
import type { Loan } from "./loan.ts";
import type { PeerTls } from "./peer-tls.ts";
import type { ResponseHead, Trailers } from "./response-head.ts";
import { afterReceivingEnd, afterSendingEnd, maySend, StreamState } from "./state.ts";
import { ReceiveWindow, SendWindow } from "./window.ts";

/** A header list to send: a flat list, or one that is prepared because it is sent again and again. */
export type HeaderFields = readonly string[] | PreparedHeaders;

const noFields: readonly string[] = [];

/** What a stream tells the layer above. Calls come from within the reading of the socket: they return quickly. */
export interface StreamListener {
  /** Client: the final response head. `onEnd` follows at once when nothing else comes. */
  onHead(head: ResponseHead): void;
  /** `bytes[start, end)` may be read until the call returns. Call `stream.consume` once they are used up. */
  onData(bytes: Uint8Array, start: number, end: number): void;
  onTrailers(trailers: Trailers): void;
  /** The peer ended its side in good order. */
  onEnd(): void;
  /** The stream is over before its time, by either side's doing or the connection's. Nothing is called after this. */
  onReset(error: Http2Error): void;
  /** After `sendData` returned false: there is room again. */
  onWritable(): void;
  /**
   * Server: asked when the peer resets the stream. True: the stream was at its end anyway, so that the reset is charged to a large budget
   * of its own and not as an attack (CVE-2023-44487). Default: every reset is.
   */
  isResetExpected?(): boolean;
  /** Server: after `admit` returned false: the request's handler may begin. Not called once the stream has ended. */
  onAdmitted?(): void;
}

/** What a stream needs of its connection. */
export interface StreamOwner {
  /** See {@link Stream.reserveData}. */
  reserve(stream: Stream, bytes: number): number;
  /** The memory that `reserve` gave an offset into. */
  readonly outputBytes: Uint8Array;
  commitData(stream: Stream, offset: number, bytes: number, endStream: boolean): void;
  sendHeaders(stream: Stream, fields: HeaderFields, extra: readonly string[], endStream: boolean): void;
  /** Sends what windows and socket allow of what the stream has pending, `addedBytes` of it new; the rest follows when there is room. */
  sendPending(stream: Stream, addedBytes: number): void;
  /** So many pending bytes are not going to be sent. */
  dropPending(bytes: number): void;
  /** See {@link Stream.admit}. */
  admit(stream: Stream, expectedBytes: number): boolean;
  /** See {@link Stream.giveData}. */
  freeWhenSent(bytes: Uint8Array): void;
  sendWindowUpdate(streamId: number, increment: number): void;
  sendReset(stream: Stream, code: number): void;
  releaseConnectionWindow(bytes: number): void;
  /** See {@link Stream.lend}, {@link Stream.messageComplete} and {@link Stream.repay}. */
  lend(stream: Stream, bytes: number): void;
  messageComplete(loan: Loan): void;
  repay(loan: Loan, bytes: number): number;
  /** See {@link Stream.takeRoom}, {@link Stream.keepRoom} and {@link Stream.leaveRoom}. */
  takeRoom(stream: Stream, bytes: number): Promise<void> | undefined;
  keepRoom(stream: Stream, bytes: number): void;
  leaveRoom(stream: Stream): void;
  /** Data that was cut into tiny frames has been used up; see `SmallDataBudget`. */
  giveBackSmallData(cost: number): void;
  /** `inGoodOrder`: both sides ended it, no one reset it. `before` is the state that it was in. */
  streamClosed(stream: Stream, inGoodOrder: boolean, before: StreamState): void;
  /** The stream no longer keeps the process alive. */
  streamUnreferenced(stream: Stream): void;
  /** The listener threw where the connection cannot tell by the frame which stream it was. */
  listenerThrew(stream: Stream, error: unknown): void;
  slotReleased(stream: Stream): void;
  readonly streamSendBufferBytes: number;
  /** The layer above counts here. */
  readonly messages: { sent: number; received: number };
  /** … and here what its messages are for work, in units of a small message. */
  readonly turnWork: TurnWork;
  readonly peerAddress: string | undefined;
  readonly peerTls: PeerTls | undefined;
  /** The largest header list that the peer says it takes (RFC 9113 §6.5.2); Infinity when it has not said. Advice only. */
  readonly peerMaxHeaderListBytes: number;
  /** The peer's advice left no room for an answer: it counts as pointless, because each such stream ends with a reset. */
  onHeadersTooLarge(): void;
}

/**
 * One request and its response (RFC 9113 §5). Both roles use it: a server's stream sends the response's half, a client's
 * the request's.
 */
export class Stream {
  readonly id: number;
  readonly owner: StreamOwner;
  listener: StreamListener | undefined = undefined;
  state: StreamState = StreamState.open;
  readonly sendWindow: SendWindow;
  readonly receiveWindow: ReceiveWindow;

  /** Data that waits for a window or the socket, oldest first; undefined while nothing waits. */
  pending: Uint8Array[] | undefined = undefined;
  pendingBytes = 0;
  /** What follows the pending data: the stream's end, with trailers or without. */
  pendingEnd = false;
  pendingTrailers: HeaderFields | undefined = undefined;
  /** What was pending when it last moved, and since when it has not; looked at once per tick. */
  stalledBytes = -1;
  stalledSinceMs = 0;
  /** Whether the connection's list of waiting streams holds this one. */
  isQueued = false;
  /** `sendData` returned false, and the listener has not been told of room since. */
  wantsRoom = false;

  /** Bytes of content-length that have not come yet; -1 without that field. */
  expectedBytes = -1;
  /** Client: the final response head has come, so the next header block is trailers. */
  headReceived = false;
  /** Client: the request's method is HEAD, so a content-length announces nothing (RFC 9110 §8.6). */
  isHead = false;
  informationalResponses = 0;
  /** Whether the stream, while it is open, keeps the process alive. Only a client's streams do, see `unrefWhenIdle`. */
  isReferenced = true;
  private unconsumed = 0;
  /** For the connection: what the stream holds of an unfinished message. Undefined while it holds nothing. */
  loan: Loan | undefined = undefined;
  /** What the frames of the unconsumed data have cost. */
  private smallDataCost = 0;

  private resetAfterEnd = -1;
  private holds = 0;
  private slotFreed = false;

  /** `receiveBytes` is the size of the receive window; `receiveAllowance` what the peer may believe it begins at. */
  constructor(id: number, owner: StreamOwner, sendBytes: number, receiveBytes: number, receiveAllowance: number) {
    this.id = id;
    this.owner = owner;
    this.sendWindow = new SendWindow(sendBytes);
    this.receiveWindow = new ReceiveWindow(receiveBytes, receiveAllowance);
  }

  get isClosed(): boolean {
    return this.state === StreamState.closed;
  }

  /** It is closed, and nothing runs for it any more, see `hold`. */
  get isReleased(): boolean {
    return this.slotFreed;
  }

  /** `host:port` of the other end; undefined in memory and over Unix sockets. */
  get peerAddress(): string | undefined {
    return this.owner.peerAddress;
  }

  /** What TLS tells of the other end; undefined without TLS. */
  get peerTls(): PeerTls | undefined {
    return this.owner.peerTls;
  }

  /** Whether headers, data or trailers can still be sent: the stream lives and its end was not sent or promised. */
  get isWritable(): boolean {
    return maySend(this.state) && !this.pendingEnd;
  }

  /** The response's head (server); interim heads (1xx) may come before it. `extra` follows `fields` in the same block. */
  sendHeaders(fields: HeaderFields, endStream = false, extra: readonly string[] = noFields): void {
    this.checkWritable();
    if (endStream) this.pendingEnd = true;
    this.owner.sendHeaders(this, fields, extra, endStream);
  }

  /**
   * Sends data, or keeps it until there is room. The stream owns `bytes` from here on. False: more than
   * `streamSendBufferBytes` wait, and the caller should hold back until `onWritable`.
   */
  sendData(bytes: Uint8Array, endStream = false): boolean {
    this.checkWritable();
    if (endStream) this.pendingEnd = true;
    if (bytes.length > 0) {
      if (this.pending === undefined) this.pending = [bytes];
      else this.pending.push(bytes);
      this.pendingBytes += bytes.length;
    }
    this.owner.sendPending(this, bytes.length);
    if (this.pendingBytes < this.owner.streamSendBufferBytes) return true;
    this.wantsRoom = true;
    return false;
  }

  /**
   * `sendData` for a large payload that no one looks at afterwards: once it has left, its memory is freed, and `bytes` is empty
   * from then on. Worth it for a buffer that `bytes` fills; a part of one is sent and left alone.
   */
  giveData(bytes: Uint8Array, endStream = false): boolean {
    this.checkWritable();
    this.owner.freeWhenSent(bytes);
    return this.sendData(bytes, endStream);
  }

  /** Sends trailers behind whatever waits, and ends our side. */
  sendTrailers(fields: HeaderFields): void {
    this.checkWritable();
    this.pendingEnd = true;
    if (this.pendingBytes === 0) {
      this.owner.sendHeaders(this, fields, noFields, true);
      return;
    }
    this.pendingTrailers = fields;
    this.owner.sendPending(this, 0);
  }

  /**
   * The short way for small data: room for one DATA frame of `bytes` in the connection's output, to be filled in place.
   * Returns the offset into `outputBytes`, or -1 when the data has to wait; `sendData` is the way then.
   * `commitData` must follow before anything else is sent on the connection.
   */
  reserveData(bytes: number): number {
    if (this.pendingBytes > 0 || !this.isWritable || bytes > this.sendWindow.available) return -1;
    const offset = this.owner.reserve(this, bytes);
    return offset === -1 ? -1 : offset + frameHeaderBytes;
  }

  commitData(offset: number, bytes: number, endStream: boolean): void {
    if (endStream) this.pendingEnd = true;
    this.owner.commitData(this, offset - frameHeaderBytes, bytes, endStream);
  }

  /** Gives the peer credit for `bytes` of received data that have been used up. */
  consume(bytes: number): void {
    const credit = Math.min(bytes, this.unconsumed);
    if (credit === 0) return;
    if (this.smallDataCost > 0) this.giveBackSmallData(credit);
    this.unconsumed -= credit;
    this.giveCredit(credit);
  }

  /**
   * `bytes` of received data are held because the rest of their message has to come. The peer gets credit for them as if they were used
   * up, at once or when there is room for them among all that is held like this. Call `repay` once they are used up.
   */
  lend(bytes: number): void {
    if (this.state === StreamState.closed) return;
    this.owner.lend(this, bytes);
  }

  /** The message is complete whose bytes were lent; they are still held. */
  messageComplete(): void {
    if (this.loan !== undefined) this.owner.messageComplete(this.loan);
  }

  /** Lent bytes have been used up, all by default. */
  repay(bytes: number = Number.MAX_SAFE_INTEGER): void {
    const { loan } = this;
    if (loan === undefined) return;
    const uncredited = this.owner.repay(loan, bytes);
    if (uncredited > 0) this.consume(uncredited);
  }

  /**
   * Call before a message is made that may be much larger than what came for it, such as one that is compressed. A promise: continue when it
   * resolves, which is when there is room for `bytes` among all that the connection holds. Call `keepRoom` once the message is made.
   */
  takeRoom(bytes: number): Promise<void> | undefined {
    return this.owner.takeRoom(this, bytes);
  }

  /** The message is made and has so many bytes. It counts until the next, or until the stream is over and released; 0 when it is used up. */
  keepRoom(bytes: number): void {
    this.owner.keepRoom(this, bytes);
  }

  /** The call was cut off: `takeRoom` resolves now. */
  leaveRoom(): void {
    this.owner.leaveRoom(this);
  }

  /** For the connection, and `consume`: bytes that are no use to anybody any more, such as padding. */
  giveCredit(credit: number): void {
    this.owner.releaseConnectionWindow(credit);
    if (this.state === StreamState.closed || this.state === StreamState.halfClosedRemote) return;
    const increment = this.receiveWindow.release(credit);
    if (increment > 0) this.owner.sendWindowUpdate(this.id, increment);
  }

  /** For the connection: the peer is told that it may send so much more on every stream. */
  growReceiveWindow(bytes: number): void {
    this.receiveWindow.grow(bytes);
  }

  /** Ends the stream at once. The listener is not told: its owner asked for it. */
  reset(code: number = ErrorCode.cancel): void {
    if (this.state === StreamState.closed) return;
    this.owner.sendReset(this, code);
    this.close();
  }

  /**
   * Server: call before the request's handler begins, with the bytes that its response is expected to take. False: too much of earlier
   * responses waits for the peer, and the handler must not begin before the listener's `onAdmitted`.
   */
  admit(expectedBytes: number): boolean {
    return this.owner.admit(this, expectedBytes);
  }

  /**
   * Keeps the stream's place in the count of concurrent streams until `release`, even when the stream is reset:
   * otherwise a peer that resets what it opens could have any number of handlers running (CVE-2023-44487).
   */
  hold(): void {
    this.holds++;
  }

  release(): void {
    this.holds--;
    this.freeSlot();
  }

  /** The process may end although the stream is open, as with `unref` of Node's sockets and timers. */
  unref(): void {
    if (!this.isReferenced || this.isClosed) return;
    this.isReferenced = false;
    this.owner.streamUnreferenced(this);
  }

  /** Resets the stream once our side's end has left, if the peer has not ended its own by then (RFC 9113 §8.1). */
  resetWhenSent(code: number): void {
    if (this.state === StreamState.halfClosedLocal) this.reset(code);
    else this.resetAfterEnd = code;
  }

  /** For the connection: our side's end has been written. */
  endSent(): void {
    this.state = afterSendingEnd(this.state);
    if (this.state === StreamState.closed) this.finish(true, StreamState.closed);
    else if (this.resetAfterEnd !== -1) this.reset(this.resetAfterEnd);
  }

  /** For the connection: the peer's END_STREAM came. */
  endReceived(): void {
    this.state = afterReceivingEnd(this.state);
    if (this.state === StreamState.closed) this.finish(true, StreamState.closed);
  }

  /** For the connection: counts received data that the layer above has to consume, and what its frame cost. */
  dataReceived(bytes: number, cost: number): void {
    this.unconsumed += bytes;
    this.smallDataCost += cost;
  }

  /** For the connection: ends the stream for a reason that the listener has to know. */
  abort(error: Http2Error): void {
    if (this.state === StreamState.closed) return;
    const { listener } = this;
    this.close();
    try {
      listener?.onReset(error);
    } catch {
      // It was the last call: there is no stream left that could fail, and others are about to be aborted like this one.
    }
  }

  /** For the connection: less is pending than before, which the listener may wait for. */
  tellRoom(): void {
    if (!this.wantsRoom || this.pendingBytes >= this.owner.streamSendBufferBytes) return;
    this.wantsRoom = false;
    try {
      this.listener?.onWritable();
    } catch (error) {
      // Other streams wait behind this one, and the frame that made room may not have been this one's at all.
      this.owner.listenerThrew(this, error);
    }
  }

  private close(): void {
    const before = this.state;
    this.state = StreamState.closed;
    this.pending = undefined;
    if (this.pendingBytes > 0) this.owner.dropPending(this.pendingBytes);
    this.pendingBytes = 0;
    this.pendingTrailers = undefined;
    this.finish(false, before);
  }

  private finish(inGoodOrder: boolean, before: StreamState): void {
    if (this.loan !== undefined) this.repay();
    this.returnUnconsumed();
    this.owner.streamClosed(this, inGoodOrder, before);
    this.freeSlot();
  }

  /**
   * What the layer above never consumed of a stream that is gone must not stay missing from the connection's window: who leaves a
   * loop over responses never will.
   */
  private returnUnconsumed(): void {
    if (this.unconsumed === 0) return;
    if (this.smallDataCost > 0) this.giveBackSmallData(this.unconsumed);
    this.owner.releaseConnectionWindow(this.unconsumed);
    this.unconsumed = 0;
  }

  /** No one knows which frames the `bytes` came in, so each byte that waits has cost the same. */
  private giveBackSmallData(bytes: number): void {
    const cost =
      bytes === this.unconsumed ? this.smallDataCost : Math.floor((this.smallDataCost * bytes) / this.unconsumed);
    this.smallDataCost -= cost;
    this.owner.giveBackSmallData(cost);
  }

  private freeSlot(): void {
    if (this.slotFreed || this.holds > 0 || this.state !== StreamState.closed) return;
    this.slotFreed = true;
    this.owner.slotReleased(this);
  }

  private checkWritable(): void {
    if (!this.isWritable) throw callerError(`stream ${this.id} has ended and takes nothing more`);
  }
}
