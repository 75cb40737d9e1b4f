import { messagePrefixBytes } from "../../protocol/message-framing.ts";
import type { Payload } from "../../protocol/payload.ts";
import type { TurnShare } from "../../time/turn-share.ts";
import { rejectToCaller } from "../caller-stack.ts";
import { WaitingMessages } from "./waiting-messages.ts";

/** The call whose messages a queue holds. */
export interface MessageSource<T> {
  /**
   * Makes a message of its bytes, at once or later. Throws or rejects when it cannot, and ends the call then, because that is the peer's
   * fault.
   */
  makeMessage(payload: Payload): T | Promise<T>;
  /** Gives the peer credit for what has been taken. */
  consume(bytes: number): void;
  /** Gives the peer credit for part of a message that is held until the rest has come, when there is room for it. */
  lend(bytes: number): void;
  /** The message whose parts were lent is complete, and waits. */
  messageComplete(): void;
  /** Lent bytes are held no longer. */
  repay(bytes: number): void;
  /** The application has used up a message that was made later, and waits for one that has not come. */
  usedUp(): void;
  /** The application will take no more. */
  takesNoMore(): void;
}

interface Waiter<T> {
  resolve(result: IteratorResult<T, undefined> | Promise<never>): void;
  reject(reason: unknown): void;
  next: Waiter<T> | undefined;
}

const done: IteratorResult<never, undefined> = { done: true, value: undefined };

/**
 * Messages between the stream, which delivers when it likes, and the application, which takes them one by one. A message that
 * a reader waits for is made at once; others wait as they came and are made when they are taken. One at a time is made later (inflated
 * in the thread pool, for instance), and readers take no more in a turn of the event loop than the share that all streams have.
 *
 * It also decides when the peer gets credit for what it has sent. Bytes of messages that wait here get it when they are
 * taken, so what waits is bounded by the stream's window. Bytes of a message whose rest is still to come are lent
 * while nothing waits: a message may be larger than the window.
 */
export class MessageQueue<T> implements AsyncIterableIterator<T, undefined> {
  /** Replaced at most before the first message has come. */
  source: MessageSource<T>;
  private readonly share: TurnShare;
  private readonly waiting = new WaitingMessages();
  /** What the first waiting message has earned of its credit already. Those after it have earned none. */
  private creditedOfFirst = 0;
  /** Bytes received of a message that is not complete yet: without credit, and with it. */
  private partialBytes = 0;
  private creditedOfPartial = 0;
  /** Bytes of messages that went straight to a reader and have earned no credit yet. */
  private deliveredBytes = 0;
  /** All that have come. */
  pushed = 0;
  /** Readers, in the order in which they came. Mostly there is one, so an array would be most of what an open stream holds here. */
  private firstWaiter: Waiter<T> | undefined = undefined;
  private lastWaiter: Waiter<T> | undefined = undefined;
  /** Whose message is being made. */
  private making: Waiter<T> | undefined = undefined;
  /** The last message was made later: it may be much larger than what came for it. */
  private wasMadeLater = false;
  /** Readers wait for the next turn of the event loop. */
  private isPausing = false;
  /** Nothing more comes. */
  private ended = false;
  /** The reader was handed the end or the failure, or has left. */
  private isOver = false;
  private failed = false;
  private failure: unknown = undefined;

  constructor(source: MessageSource<T>, share: TurnShare) {
    this.source = source;
    this.share = share;
  }

  /** Bytes have come; the messages they complete are pushed next, and `settle` follows. */
  received(bytes: number): void {
    this.partialBytes += bytes;
  }

  /** A message is complete. */
  push(payload: Payload): void {
    this.pushed++;
    if (this.ended) return;
    const credited = this.creditedOfPartial;
    const owed = payload.length + messagePrefixBytes - credited;
    this.creditedOfPartial = 0;
    this.partialBytes -= owed;
    if (this.firstWaiter !== undefined && !this.isBusy && !this.share.isSpent) {
      this.deliveredBytes += owed;
      if (credited > 0) this.source.repay(credited);
      this.deliver(payload);
      return;
    }
    // While a message waits, parts of others earn nothing: only the first can have earned some.
    if (credited > 0) {
      this.creditedOfFirst = credited;
      this.source.messageComplete();
    }
    this.waiting.push(payload);
    if (this.firstWaiter !== undefined) this.serve();
  }

  /** Everything in what was received has been pushed. */
  settle(): void {
    const { deliveredBytes, partialBytes } = this;
    this.deliveredBytes = 0;
    if (deliveredBytes > 0) this.source.consume(deliveredBytes);
    if (partialBytes === 0 || this.waiting.count > 0) return;
    this.partialBytes = 0;
    if (this.ended) {
      // Nothing is kept of it.
      this.source.consume(partialBytes);
      return;
    }
    this.creditedOfPartial += partialBytes;
    this.source.lend(partialBytes);
  }

  /** No more messages come; those that wait can still be taken. */
  end(): void {
    if (this.ended) return;
    this.ended = true;
    this.serve();
  }

  /** The peer ended the call with an error: messages that wait are still taken first, then the failure is thrown once. */
  fail(reason: unknown): void {
    if (this.ended) return;
    this.ended = true;
    this.failed = true;
    this.failure = reason;
    this.serve();
  }

  /**
   * The call was cut off: messages that wait are dropped, even when the end had come after them, and the reader's present or next step
   * throws the reason, once.
   */
  cutOff(reason: unknown): void {
    if (this.isOver) return;
    this.ended = true;
    this.dropWaiting();
    this.isPausing = false;
    this.failed = true;
    this.failure = reason;
    const { making } = this;
    if (making !== undefined) {
      // First in line, and it must not wait for work that no reader wants any more.
      this.making = undefined;
      making.next = this.firstWaiter;
      this.firstWaiter = making;
      this.lastWaiter ??= making;
    }
    this.tellEnd();
  }

  next(): Promise<IteratorResult<T, undefined>> {
    if (this.firstWaiter === undefined && !this.isBusy) {
      if (this.waiting.count === 0) {
        if (this.ended) return this.takeEnd();
      } else if (!this.share.isSpent) {
        return this.takeNow();
      }
    }
    return new Promise((resolve, reject) => {
      this.addWaiter({ resolve, reject, next: undefined });
      this.serve();
    });
  }

  return(): Promise<IteratorResult<T, undefined>> {
    const wasOpen = !this.ended;
    this.breakOff();
    if (wasOpen) this.source.takesNoMore();
    return Promise.resolve(done);
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  /** Makes the message that comes out of those that wait. */
  private takeFirst(): T | Promise<T> {
    const payload = this.waiting.shift();
    const owed = this.deliveredBytes + payload.length + messagePrefixBytes - this.creditedOfFirst;
    this.deliveredBytes = 0;
    if (this.creditedOfFirst > 0) this.repayFirst();
    this.source.consume(owed);
    // Parts of the message after the last one that waited.
    if (this.partialBytes > 0) this.settle();
    const made = this.make(payload);
    // It may be large.
    payload.clear();
    return made;
  }

  private make(payload: Payload): T | Promise<T> {
    const { share } = this;
    const beganMs = share.making(payload.length, payload.compressed);
    try {
      return this.source.makeMessage(payload);
    } finally {
      share.made(beganMs);
    }
  }

  private addWaiter(waiter: Waiter<T>): void {
    if (this.lastWaiter === undefined) this.firstWaiter = waiter;
    else this.lastWaiter.next = waiter;
    this.lastWaiter = waiter;
  }

  /** Only while there is one. */
  private shiftWaiter(): Waiter<T> {
    const waiter = this.firstWaiter as Waiter<T>;
    this.firstWaiter = waiter.next;
    waiter.next = undefined;
    if (this.firstWaiter === undefined) this.lastWaiter = undefined;
    return waiter;
  }

  private get isBusy(): boolean {
    return this.making !== undefined || this.isPausing;
  }

  /** The first message that waits, for a reader before which no other waits. */
  private takeNow(): Promise<IteratorResult<T, undefined>> {
    try {
      const message = this.takeFirst();
      if (!(message instanceof Promise)) return Promise.resolve({ done: false, value: message });
      return new Promise((resolve, reject) => {
        this.making = { resolve, reject, next: undefined };
        this.makeLater(message, this.making);
      });
    } catch (error) {
      this.breakOff();
      return Promise.reject(error);
    }
  }

  private takeEnd(): Promise<IteratorResult<T, undefined>> {
    this.isOver = true;
    if (!this.failed) return Promise.resolve(done);
    this.failed = false;
    return rejectToCaller(this.failure);
  }

  /** Gives readers what waits, and after it the end, as far as both are there. */
  private serve(): void {
    while (this.firstWaiter !== undefined && !this.isBusy) {
      if (this.waiting.count === 0) {
        if (this.ended) this.tellEnd();
        else if (this.wasMadeLater) this.forgetMade();
        return;
      }
      if (this.share.isSpent) {
        this.isPausing = true;
        this.share.renewed().then(() => this.afterPause());
        return;
      }
      const waiter = this.shiftWaiter();
      this.making = waiter;
      try {
        this.hand(this.takeFirst(), waiter);
      } catch (error) {
        this.refuse(error, waiter);
      }
    }
  }

  private forgetMade(): void {
    this.wasMadeLater = false;
    this.source.usedUp();
  }

  private afterPause(): void {
    this.isPausing = false;
    this.serve();
  }

  /** Passes the message directly to the reader that has waited longest. */
  private deliver(payload: Payload): void {
    const waiter = this.shiftWaiter();
    this.making = waiter;
    try {
      this.hand(this.make(payload), waiter);
    } catch (error) {
      this.refuse(error, waiter);
    }
  }

  private hand(message: T | Promise<T>, waiter: Waiter<T>): void {
    // Making it may have ended the call.
    if (this.making !== waiter) return;
    if (message instanceof Promise) {
      this.makeLater(message, waiter);
      return;
    }
    this.making = undefined;
    waiter.resolve({ done: false, value: message });
  }

  private makeLater(message: Promise<T>, waiter: Waiter<T>): void {
    this.wasMadeLater = true;
    message.then(
      (made) => {
        if (this.making !== waiter) return;
        this.making = undefined;
        waiter.resolve({ done: false, value: made });
        this.serve();
      },
      (error) => this.refuse(error, waiter),
    );
  }

  /** A message could not be decoded, so the messages after it are dropped. */
  private refuse(error: unknown, waiter: Waiter<T>): void {
    if (this.making !== waiter) return;
    this.making = undefined;
    waiter.reject(error);
    this.breakOff();
  }

  /** Throws away what waits, and with it a failure that no reader was handed. */
  private breakOff(): void {
    this.ended = true;
    this.dropWaiting();
    this.failed = false;
    this.isOver = true;
    if (this.wasMadeLater) this.forgetMade();
    this.tellEnd();
  }

  private dropWaiting(): void {
    const { count, payloadBytes } = this.waiting;
    this.waiting.clear();
    this.deliveredBytes += payloadBytes + count * messagePrefixBytes - this.creditedOfFirst;
    this.repayFirst();
    if (this.creditedOfPartial > 0) this.source.repay(this.creditedOfPartial);
    this.creditedOfPartial = 0;
    this.settle();
  }

  private repayFirst(): void {
    if (this.creditedOfFirst === 0) return;
    this.source.repay(this.creditedOfFirst);
    this.creditedOfFirst = 0;
  }

  /** The reader that has waited longest gets the failure, the others get the end. */
  private tellEnd(): void {
    if (this.firstWaiter === undefined) return;
    this.isOver = true;
    while (this.firstWaiter !== undefined) {
      const waiter = this.shiftWaiter();
      if (this.failed) {
        this.failed = false;
        waiter.resolve(rejectToCaller(this.failure));
      } else {
        waiter.resolve(done);
      }
    }
  }
}
