import { ErrorCode } from "../errors/error-code.ts";
import { callerError, type Http2Error } from "../errors/http2-error.ts";
import { frameHeaderBytes } from "../frame/frame-header.ts";
import type { HeaderFields } from "./header-fields.ts";
import type { Loan } from "./loan.ts";
import type { PeerTls } from "./peer-tls.ts";
import { ReceiveHalf } from "./receive-half.ts";
import { SendHalf } from "./send-half.ts";
import { afterReceivingEnd, afterSendingEnd, maySend, StreamState } from "./state.ts";
import type { StreamHome } from "./stream-home.ts";
import type { StreamListener } from "./stream-listener.ts";

const noFields: readonly string[] = [];

/**
 * One request and its response (RFC 9113 §5). Both roles use it: a server's stream sends the response's half, a client's
 * the request's.
 */
export class Stream {
  readonly id: number;
  private readonly home: StreamHome<Stream>;
  listener: StreamListener | undefined = undefined;
  state: StreamState = StreamState.open;
  readonly send: SendHalf;
  readonly receive: ReceiveHalf;

  /** `sendData` returned false, and the listener has not been told of room since. */
  private wantsRoom = false;

  /** Client: the request's method is HEAD, so a content-length announces nothing (RFC 9110 §8.6). */
  isHead = false;
  /** Whether the stream, while it is open, keeps the process alive. Only a client's streams do, see `unrefWhenIdle`. */
  isReferenced = true;
  /** For the connection: what the stream holds of an unfinished message. Undefined while it holds nothing. */
  loan: Loan | undefined = undefined;

  private resetAfterEnd = -1;
  private holds = 0;
  private slotFreed = false;

  constructor(id: number, home: StreamHome<Stream>) {
    this.id = id;
    this.home = home;
    this.send = new SendHalf(home.initialSendBytes);
    this.receive = new ReceiveHalf(home.initialReceiveBytes, home.initialReceiveAllowance);
  }

  /** Bytes that wait for a window or the socket. */
  get pendingBytes(): number {
    return this.send.pendingBytes;
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
    return this.home.peer.peerAddress;
  }

  /** What TLS tells of the other end; undefined without TLS. */
  get peerTls(): PeerTls | undefined {
    return this.home.peer.peerTls;
  }

  /** The largest header list that the peer says it takes; Infinity when it has not said. Advice only. */
  get peerMaxHeaderListBytes(): number {
    return this.home.peer.peerMaxHeaderListBytes;
  }

  /** What the layer above sends was too large for the peer, and the stream was reset for it. */
  headersTooLarge(): void {
    this.home.headersTooLarge();
  }

  /** The layer above counts its messages here. */
  messageSent(): void {
    this.home.messages.sent++;
  }

  /** … and what one was for work, in units of a small message. */
  messageReceived(work: number): void {
    this.home.messages.received++;
    this.home.turnWork.done += work;
  }

  /** Whether headers, data or trailers can still be sent: the stream lives and its end was not sent or promised. */
  get isWritable(): boolean {
    return maySend(this.state) && !this.send.hasEnd;
  }

  /** The response's head (server); interim heads (1xx) may come before it. `extra` follows `fields` in the same block. */
  sendHeaders(fields: HeaderFields, endStream = false, extra: readonly string[] = noFields): void {
    this.checkWritable();
    if (endStream) this.send.end();
    this.home.frames.headers(this.id, fields, extra, endStream);
    if (endStream) this.endSent();
  }

  /**
   * Sends data, or keeps it until there is room. The stream owns `bytes` from here on. False: more than
   * `streamSendBufferBytes` wait, and the caller should hold back until `onWritable`.
   */
  sendData(bytes: Uint8Array, endStream = false): boolean {
    this.checkWritable();
    if (endStream) this.send.end();
    if (bytes.length > 0) this.send.add(bytes);
    this.home.output.pending(this, bytes.length);
    if (this.pendingBytes < this.home.streamSendBufferBytes) return true;
    this.wantsRoom = true;
    return false;
  }

  /**
   * `sendData` for a large payload that no one looks at afterwards: once it has left, its memory is freed, and `bytes` is empty
   * from then on. Worth it for a buffer that `bytes` fills; a part of one is sent and left alone.
   */
  giveData(bytes: Uint8Array, endStream = false): boolean {
    this.checkWritable();
    this.home.frames.freeWhenSent(bytes);
    return this.sendData(bytes, endStream);
  }

  /** Sends trailers behind whatever waits, and ends our side. */
  sendTrailers(fields: HeaderFields): void {
    this.checkWritable();
    if (this.pendingBytes === 0) {
      this.send.end();
      this.home.frames.headers(this.id, fields, noFields, true);
      this.endSent();
      return;
    }
    this.send.endWithTrailers(fields);
    this.home.output.pending(this, 0);
  }

  /**
   * The short way for small data: room for one DATA frame of `bytes` in the connection's output, to be filled in place.
   * Returns the offset into `outputBytes`, or -1 when the data has to wait; `sendData` is the way then.
   * `commitData` must follow before anything else is sent on the connection.
   */
  reserveData(bytes: number): number {
    if (this.pendingBytes > 0 || !this.isWritable || bytes > this.send.available) return -1;
    const offset = this.home.output.reserve(bytes);
    return offset === -1 ? -1 : offset + frameHeaderBytes;
  }

  /** The memory that `reserveData` gave an offset into. */
  get outputBytes(): Uint8Array {
    return this.home.frames.arena.bytes;
  }

  commitData(offset: number, bytes: number, endStream: boolean): void {
    if (endStream) this.send.end();
    this.home.output.commit(this, offset - frameHeaderBytes, bytes, endStream);
  }

  /** Gives the peer credit for `bytes` of received data that have been used up. */
  consume(bytes: number): void {
    const credit = Math.min(bytes, this.receive.unconsumedBytes);
    if (credit === 0) return;
    const cost = this.receive.consume(credit);
    if (cost > 0) this.home.credit.smallData.giveBack(cost);
    this.giveCredit(credit);
  }

  /**
   * `bytes` of received data are held because the rest of their message has to come. The peer gets credit for them as if they were used
   * up, at once or when there is room for them among all that is held like this. Call `repay` once they are used up.
   */
  lend(bytes: number): void {
    if (this.state === StreamState.closed) return;
    this.home.memory.lend(this, bytes);
  }

  /** The message is complete whose bytes were lent; they are still held. */
  messageComplete(): void {
    if (this.loan !== undefined) this.home.memory.complete(this.loan);
  }

  /** Lent bytes have been used up, all by default. */
  repay(bytes: number = Number.MAX_SAFE_INTEGER): void {
    const { loan } = this;
    if (loan === undefined) return;
    const uncredited = this.home.memory.repay(loan, bytes);
    if (uncredited > 0) this.consume(uncredited);
  }

  /**
   * Call before a message is made that may be much larger than what came for it, such as one that is compressed. A promise: continue when it
   * resolves, which is when there is room for `bytes` among all that the connection holds. Call `keepRoom` once the message is made.
   */
  takeRoom(bytes: number): Promise<void> | undefined {
    return this.home.memory.takeRoom(this, bytes);
  }

  /** The message is made and has so many bytes. It counts until the next, or until the stream is over and released; 0 when it is used up. */
  keepRoom(bytes: number): void {
    this.home.memory.keepRoom(this, bytes);
  }

  /** The call was cut off: `takeRoom` resolves now. */
  leaveRoom(): void {
    this.home.memory.leaveRoom(this);
  }

  /** For the connection, and `consume`: bytes that are no use to anybody any more, such as padding. */
  giveCredit(credit: number): void {
    this.home.credit.release(credit);
    if (this.state === StreamState.closed || this.state === StreamState.halfClosedRemote) return;
    const increment = this.receive.release(credit);
    if (increment > 0) this.home.frames.windowUpdate(this.id, increment);
  }

  /** For the connection: the peer is told that it may send so much more on every stream. */
  growReceiveWindow(bytes: number): void {
    this.receive.grow(bytes);
  }

  /** Ends the stream at once. The listener is not told: its owner asked for it. */
  reset(code: number = ErrorCode.cancel): void {
    if (this.state === StreamState.closed) return;
    this.home.sendReset(this, code);
    this.close();
  }

  /**
   * Server: call before the request's handler begins, with the bytes that its response is expected to take. False: too much of earlier
   * responses waits for the peer, and the handler must not begin before the listener's `onAdmitted`.
   */
  admit(expectedBytes: number): boolean {
    return this.home.admit(this, expectedBytes);
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
    this.home.streamUnreferenced(this);
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
    if (!this.wantsRoom || this.pendingBytes >= this.home.streamSendBufferBytes) return;
    this.wantsRoom = false;
    try {
      this.listener?.onWritable();
    } catch (error) {
      // Other streams wait behind this one, and the frame that made room may not have been this one's at all.
      this.home.listenerThrew(this, error);
    }
  }

  /** For the connection: the request's handler may begin. */
  tellAdmitted(): void {
    try {
      this.listener?.onAdmitted?.();
    } catch (error) {
      this.home.listenerThrew(this, error);
    }
  }

  private close(): void {
    const before = this.state;
    this.state = StreamState.closed;
    const dropped = this.send.drop();
    if (dropped > 0) this.home.output.stopWaiting(dropped);
    this.finish(false, before);
  }

  private finish(inGoodOrder: boolean, before: StreamState): void {
    if (this.loan !== undefined) this.repay();
    this.returnUnconsumed();
    this.home.streamClosed(this, inGoodOrder, before);
    this.freeSlot();
  }

  /**
   * What the layer above never consumed of a stream that is gone must not stay missing from the connection's window: who leaves a
   * loop over responses never will.
   */
  private returnUnconsumed(): void {
    const { unconsumedBytes } = this.receive;
    if (unconsumedBytes === 0) return;
    const cost = this.receive.consume(unconsumedBytes);
    if (cost > 0) this.home.credit.smallData.giveBack(cost);
    this.home.credit.release(unconsumedBytes);
  }

  private freeSlot(): void {
    if (this.slotFreed || this.holds > 0 || this.state !== StreamState.closed) return;
    this.slotFreed = true;
    this.home.slotReleased(this);
  }

  private checkWritable(): void {
    if (!this.isWritable) throw callerError(`stream ${this.id} has ended and takes nothing more`);
  }
}
