import { DeferredMessage } from "./deferred-message.ts";

interface Waiter<T> {
  resolve(result: IteratorResult<T, undefined>): void;
  reject(reason: unknown): void;
}

const done: IteratorResult<never, undefined> = { done: true, value: undefined };

/**
 * Messages between the stream, which delivers when it likes, and the application, which takes them one by one.
 *
 * It also decides when the peer gets credit for what it has sent. Octets of messages that wait here get it when they are
 * taken, so what waits is bounded by the stream's window (an empty message takes 92 octets of heap for its 5 on the wire, so
 * at most 19 MB for 1 MiB). Octets of a message whose rest is still to come get it at once
 * while nothing waits: a message may be larger than the window.
 */
export class MessageQueue<T> implements AsyncIterableIterator<T, undefined> {
  private readonly giveCredit: (octets: number) => void;
  /** The application will take no more. */
  private readonly onReturned: () => void;
  private messages: (T | DeferredMessage<T>)[] = [];
  /** What each waiting message still owes the peer. */
  private octets: number[] = [];
  /** Octets received that belong to no complete message yet and have earned no credit. */
  private partialOctets = 0;
  private head = 0;
  private waiters: Waiter<T>[] = [];
  private ended = false;
  private failed = false;
  private failure: unknown = undefined;

  constructor(giveCredit: (octets: number) => void, onReturned: () => void) {
    this.giveCredit = giveCredit;
    this.onReturned = onReturned;
  }

  /** Octets have come; the messages they complete are pushed next, and `settle` follows. */
  received(octets: number): void {
    this.partialOctets += octets;
  }

  /** A message of that many octets is complete. */
  push(message: T | DeferredMessage<T>, octets: number): void {
    if (this.ended) return;
    const waiter = this.waiters.shift();
    if (waiter !== undefined) {
      this.deliver(waiter, message);
      return;
    }
    // Its first octets may have been credited while it was incomplete.
    const owed = Math.min(octets, this.partialOctets);
    this.partialOctets -= owed;
    this.messages.push(message);
    this.octets.push(owed);
  }

  /** Everything in what was received has been pushed. */
  settle(): void {
    if (this.partialOctets === 0 || this.messages.length > 0) return;
    const octets = this.partialOctets;
    this.partialOctets = 0;
    this.giveCredit(octets);
  }

  /** No more messages come; those that wait can still be taken. */
  end(): void {
    if (this.ended) return;
    this.ended = true;
    for (const waiter of this.waiters) waiter.resolve(done);
    this.waiters = [];
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
      waiter.reject(reason);
    }
    for (const other of this.waiters) other.resolve(done);
    this.waiters = [];
  }

  next(): Promise<IteratorResult<T, undefined>> {
    if (this.head < this.messages.length) {
      const message = this.messages[this.head] as T | DeferredMessage<T>;
      const owed = this.octets[this.head] as number;
      this.head++;
      if (this.head === this.messages.length) this.clear();
      this.giveCredit(owed);
      this.settle();
      if (message instanceof DeferredMessage) return makeResult(message);
      return Promise.resolve({ done: false, value: message });
    }
    if (this.failed) {
      this.failed = false;
      return Promise.reject(this.failure);
    }
    if (this.ended) return Promise.resolve(done);
    return new Promise((resolve, reject) => this.waiters.push({ resolve, reject }));
  }

  return(): Promise<IteratorResult<T, undefined>> {
    const wasOpen = !this.ended;
    for (let at = this.head; at < this.octets.length; at++) this.partialOctets += this.octets[at] as number;
    this.clear();
    this.settle();
    this.failed = false;
    this.end();
    if (wasOpen) this.onReturned();
    return Promise.resolve(done);
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  private clear(): void {
    this.messages = [];
    this.octets = [];
    this.head = 0;
  }

  private deliver(waiter: Waiter<T>, message: T | DeferredMessage<T>): void {
    if (message instanceof DeferredMessage) makeResult(message).then(waiter.resolve, waiter.reject);
    else waiter.resolve({ done: false, value: message });
  }
}

async function makeResult<T>(message: DeferredMessage<T>): Promise<IteratorResult<T, undefined>> {
  return { done: false, value: await message.make() };
}
