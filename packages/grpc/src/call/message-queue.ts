import { messagePrefixBytes } from "../protocol/message-framing.ts";
import { rejectToCaller } from "./caller-stack.ts";
import { WaitingMessages } from "./waiting-messages.ts";

/** The call whose messages a queue holds. */
export interface MessageSource<T> {
  /**
   * Makes a message of its octets, at once or later. With `isOwn` nobody writes to them again; otherwise they are only lent
   * until this returns. Throws or rejects when it cannot, and ends the call then, because that is the peer's fault.
   */
  makeMessage(bytes: Uint8Array, start: number, end: number, compressed: boolean, isOwn: boolean): T | Promise<T>;
  /** Gives the peer credit for what has been taken. */
  consume(octets: number): void;
  /** The application will take no more. */
  takesNoMore(): void;
}

interface Waiter<T> {
  resolve(result: IteratorResult<T, undefined> | Promise<never>): void;
  reject(reason: unknown): void;
}

const done: IteratorResult<never, undefined> = { done: true, value: undefined };

/**
 * Messages between the stream, which delivers when it likes, and the application, which takes them one by one. One that
 * somebody waits for is made at once; others wait as they came and are made when they are taken.
 *
 * It also decides when the peer gets credit for what it has sent. Octets of messages that wait here get it when they are
 * taken, so what waits is bounded by the stream's window. Octets of a message whose rest is still to come get it at once
 * while nothing waits: a message may be larger than the window.
 */
export class MessageQueue<T> implements AsyncIterableIterator<T, undefined> {
  private readonly source: MessageSource<T>;
  private readonly waiting = new WaitingMessages();
  /** What the first waiting message has earned of its credit already. Those behind it have earned none. */
  private creditedOfFirst = 0;
  /** Octets received of a message that is not complete yet: without credit, and with it. */
  private partialOctets = 0;
  private creditedOfPartial = 0;
  /** Octets of messages that went straight to somebody and have earned no credit yet. */
  private deliveredOctets = 0;
  /** All that have come. */
  pushed = 0;
  private waiters: Waiter<T>[] = [];
  private ended = false;
  private failed = false;
  private failure: unknown = undefined;

  constructor(source: MessageSource<T>) {
    this.source = source;
  }

  /** Octets have come; the messages they complete are pushed next, and `settle` follows. */
  received(octets: number): void {
    this.partialOctets += octets;
  }

  /** A message is complete. The octets are only lent, unless it was gathered in a buffer of its own. */
  push(bytes: Uint8Array, start: number, end: number, compressed: boolean, gathered: boolean): void {
    this.pushed++;
    if (this.ended) return;
    const credited = this.creditedOfPartial;
    const owed = end - start + messagePrefixBytes - credited;
    this.creditedOfPartial = 0;
    this.partialOctets -= owed;
    if (this.waiters.length > 0) {
      this.deliveredOctets += owed;
      this.deliver(bytes, start, end, compressed, gathered);
      return;
    }
    // While a message waits, parts of others earn nothing: only the first can have earned some.
    if (credited > 0) this.creditedOfFirst = credited;
    this.waiting.push(bytes, start, end, compressed, gathered);
  }

  /** Everything in what was received has been pushed. */
  settle(): void {
    let octets = this.deliveredOctets;
    this.deliveredOctets = 0;
    if (this.waiting.count === 0) {
      octets += this.partialOctets;
      this.creditedOfPartial += this.partialOctets;
      this.partialOctets = 0;
    }
    if (octets > 0) this.source.consume(octets);
  }

  /** No more messages come; those that wait can still be taken. */
  end(): void {
    if (this.ended) return;
    this.ended = true;
    this.dismissWaiters();
  }

  /** The stream broke: messages that wait are still taken first, then the failure is thrown once. */
  fail(reason: unknown): void {
    if (this.ended) return;
    this.ended = true;
    const waiter = this.waiters.shift();
    if (waiter === undefined) {
      this.failed = true;
      this.failure = reason;
    } else {
      waiter.resolve(rejectToCaller(reason));
    }
    this.dismissWaiters();
  }

  next(): Promise<IteratorResult<T, undefined>> {
    if (this.waiting.count > 0) {
      try {
        const message = this.waiting.shift(this.take);
        if (!(message instanceof Promise)) return Promise.resolve({ done: false, value: message });
        return message.then(makeResult, (error) => {
          this.breakOff();
          throw error;
        });
      } catch (error) {
        this.breakOff();
        return Promise.reject(error);
      }
    }
    if (this.failed) {
      this.failed = false;
      return rejectToCaller(this.failure);
    }
    if (this.ended) return Promise.resolve(done);
    return new Promise((resolve, reject) => this.waiters.push({ resolve, reject }));
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

  private readonly take = (bytes: Uint8Array, start: number, end: number, compressed: boolean): T | Promise<T> => {
    this.deliveredOctets += end - start + messagePrefixBytes - this.creditedOfFirst;
    this.creditedOfFirst = 0;
    this.settle();
    return this.source.makeMessage(bytes, start, end, compressed, true);
  };

  /** To whoever has waited longest. That one learns of a failure, too, so it waits until the message is made. */
  private deliver(bytes: Uint8Array, start: number, end: number, compressed: boolean, gathered: boolean): void {
    try {
      const message = this.source.makeMessage(bytes, start, end, compressed, gathered);
      const waiter = this.waiters.shift();
      if (!(message instanceof Promise)) {
        waiter?.resolve({ done: false, value: message });
        return;
      }
      message.then(
        (made) => waiter?.resolve({ done: false, value: made }),
        (error) => {
          this.breakOff();
          waiter?.reject(error);
        },
      );
    } catch (error) {
      this.fail(error);
    }
  }

  /** Throws away what waits, and with it a failure that nobody was told of. */
  private breakOff(): void {
    const { count, payloadBytes } = this.waiting;
    this.waiting.clear();
    this.deliveredOctets += payloadBytes + count * messagePrefixBytes - this.creditedOfFirst;
    this.creditedOfFirst = 0;
    this.settle();
    this.failed = false;
    this.end();
  }

  private dismissWaiters(): void {
    for (const waiter of this.waiters) waiter.resolve(done);
    this.waiters = [];
  }
}

function makeResult<T>(value: T): IteratorResult<T, undefined> {
  return { done: false, value };
}
