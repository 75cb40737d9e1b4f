import { ErrorCode } from "../errors/error-code.ts";
import { callerError, type Http2Error } from "../errors/http2-error.ts";
import type { HeaderFields } from "./header-fields.ts";
import type { Http2Stream } from "./http2-stream.ts";
import type { Loan } from "./loan.ts";
import type { PeerTls } from "./peer-tls.ts";
import { ReceiveHalf } from "./receive-half.ts";
import { SendHalf } from "./send-half.ts";
import { afterReceivingEnd, afterReset, afterSendingEnd, mayReceive, maySend, StreamState } from "./state.ts";
import type { StreamHome } from "./stream-home.ts";
import type { StreamListener } from "./stream-listener.ts";

const noFields: readonly string[] = [];

/** A stream as its connection uses it: `Http2Stream`, and methods for the connection. */
export class Stream implements Http2Stream {
  readonly id: number;
  private readonly home: StreamHome<Stream>;
  listener: StreamListener | undefined = undefined;
  /** Changes by the events of `state.ts` alone, each in one method: `endSent`, `endReceived` and `close`. */
  private state: StreamState = StreamState.open;
  readonly send: SendHalf;
  readonly receive: ReceiveHalf;

  /** `sendData` returned false, and `onWritable` has not been called since. */
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

  get pendingBytes(): number {
    return this.send.pendingBytes;
  }

  get isClosed(): boolean {
    return this.state === StreamState.closed;
  }

  /** For the connection: our side has not ended. The end may be decided already, see `isWritable`. */
  get canSend(): boolean {
    return maySend(this.state);
  }

  /** For the connection: the peer's side has not ended. */
  get canReceive(): boolean {
    return mayReceive(this.state);
  }

  get isReleased(): boolean {
    return this.slotFreed;
  }

  get peerAddress(): string | undefined {
    return this.home.peer.peerAddress;
  }

  get peerTls(): PeerTls | undefined {
    return this.home.peer.peerTls;
  }

  get peerMaxHeaderListBytes(): number {
    return this.home.peer.peerMaxHeaderListBytes;
  }

  headersTooLarge(): void {
    this.home.headersTooLarge();
  }

  messageSent(): void {
    this.home.messages.sent++;
  }

  messageReceived(work: number): void {
    this.home.messages.received++;
    this.home.turnWork.done += work;
  }

  get isWritable(): boolean {
    return maySend(this.state) && !this.send.hasEnd;
  }

  sendHeaders(fields: HeaderFields, endStream = false, extra: readonly string[] = noFields): void {
    this.checkWritable();
    if (endStream) this.send.end();
    this.home.frames.headers(this.id, fields, extra, endStream);
    if (endStream) this.endSent();
  }

  sendData(bytes: Uint8Array, endStream = false): boolean {
    this.checkWritable();
    if (endStream) this.send.end();
    if (bytes.length > 0) this.send.add(bytes);
    this.home.output.pending(this, bytes.length);
    if (this.pendingBytes < this.home.streamBufferBytes) return true;
    this.wantsRoom = true;
    return false;
  }

  giveData(bytes: Uint8Array, endStream = false): boolean {
    this.checkWritable();
    this.home.frames.freeWhenSent(bytes);
    return this.sendData(bytes, endStream);
  }

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

  reserveData(bytes: number): number {
    if (this.pendingBytes > 0 || !this.isWritable || bytes > this.send.available) return -1;
    return this.home.output.reserve(this, bytes);
  }

  get outputBytes(): Uint8Array {
    return this.home.frames.data.reserved;
  }

  commitData(offset: number, bytes: number, endStream: boolean): void {
    if (endStream) this.send.end();
    this.home.output.commit(this, offset, bytes, endStream);
  }

  copyData(prefix: Uint8Array, body: Uint8Array, endStream: boolean): boolean {
    return this.pendingBytes === 0 && this.isWritable && this.home.output.copy(this, prefix, body, endStream);
  }

  consume(bytes: number): void {
    const credit = Math.min(bytes, this.receive.unconsumedBytes);
    if (credit === 0) return;
    const cost = this.receive.consume(credit);
    if (cost > 0) this.home.credit.smallData.giveBack(cost);
    this.giveCredit(credit);
  }

  lend(bytes: number): void {
    if (this.state === StreamState.closed) return;
    this.home.memory.lend(this, bytes);
  }

  messageComplete(): void {
    if (this.loan !== undefined) this.home.memory.complete(this.loan);
  }

  repay(bytes: number = Number.MAX_SAFE_INTEGER): void {
    const { loan } = this;
    if (loan === undefined) return;
    const uncredited = this.home.memory.repay(loan, bytes);
    if (uncredited > 0) this.consume(uncredited);
  }

  takeRoom(bytes: number): Promise<void> | undefined {
    return this.home.memory.takeRoom(this, bytes);
  }

  keepRoom(bytes: number): void {
    this.home.memory.keepRoom(this, bytes);
  }

  leaveRoom(): void {
    this.home.memory.leaveRoom(this);
  }

  /** For the connection, and `consume`: bytes that no one will read, such as padding. */
  giveCredit(credit: number): void {
    this.home.credit.release(credit);
    if (!this.canReceive) return;
    const increment = this.receive.release(credit);
    if (increment > 0) this.home.frames.windowUpdate(this.id, increment);
  }

  /** For the connection: a setting lets the peer send `bytes` more on every stream. */
  growReceiveWindow(bytes: number): void {
    this.receive.grow(bytes);
  }

  reset(code: number = ErrorCode.cancel): void {
    if (this.state === StreamState.closed) return;
    this.home.sendReset(this, code);
    this.close();
  }

  admit(expectedBytes: number): boolean {
    return this.home.admit(this, expectedBytes);
  }

  hold(): void {
    this.holds++;
  }

  release(): void {
    this.holds--;
    this.freeSlot();
  }

  unref(): void {
    if (!this.isReferenced || this.isClosed) return;
    this.isReferenced = false;
    this.home.streamUnreferenced(this);
  }

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

  /** For the connection: the peer's END_STREAM was received. */
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
      // It was the last call: the stream has ended already, and others are about to be aborted like this one.
    }
  }

  /** For the connection: less is pending than before, which the listener may wait for. */
  notifyRoom(): void {
    if (!this.wantsRoom || this.pendingBytes >= this.home.streamBufferBytes) return;
    this.wantsRoom = false;
    try {
      this.listener?.onWritable();
    } catch (error) {
      // Other streams wait after this one, and the frame that made room may belong to another stream.
      this.home.listenerThrew(this, error);
    }
  }

  /** For the connection: the request's handler may begin. */
  notifyAdmitted(): void {
    try {
      this.listener?.onAdmitted?.();
    } catch (error) {
      this.home.listenerThrew(this, error);
    }
  }

  private close(): void {
    const before = this.state;
    this.state = afterReset();
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
   * What the layer above never consumed of a stream that is gone must be returned to the connection's window: a caller that leaves a
   * loop over responses never consumes the rest.
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
