interface Waiter<T> {
  resolve(result: IteratorResult<T, undefined>): void;
  reject(reason: unknown): void;
}

const done: IteratorResult<never, undefined> = { done: true, value: undefined };

/**
 * Messages between the stream, which delivers when it likes, and the application, which takes them one by one. What waits
 * here is bounded by the stream's window: `onTaken` gives the peer credit only when a message leaves.
 */
export class MessageQueue<T> implements AsyncIterableIterator<T, undefined> {
  private readonly onTaken: (octets: number) => void;
  /** The application will take no more. */
  private readonly onReturned: () => void;
  /** A message may still be on its way through the decompressor. */
  private messages: (T | Promise<T>)[] = [];
  private octets: number[] = [];
  private head = 0;
  private waiters: Waiter<T>[] = [];
  private ended = false;
  private failed = false;
  private failure: unknown = undefined;

  constructor(onTaken: (octets: number) => void, onReturned: () => void) {
    this.onTaken = onTaken;
    this.onReturned = onReturned;
  }

  push(message: T | Promise<T>, octets: number): void {
    if (this.ended) {
      this.onTaken(octets);
      return;
    }
    const waiter = this.waiters.shift();
    if (waiter === undefined) {
      this.messages.push(message);
      this.octets.push(octets);
      return;
    }
    this.onTaken(octets);
    this.deliver(waiter, message);
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
      const message = this.messages[this.head] as T | Promise<T>;
      this.onTaken(this.octets[this.head] as number);
      this.head++;
      if (this.head === this.messages.length) this.clear();
      if (message instanceof Promise) return message.then((value) => ({ done: false, value }));
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
    for (let at = this.head; at < this.octets.length; at++) this.onTaken(this.octets[at] as number);
    this.clear();
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

  private deliver(waiter: Waiter<T>, message: T | Promise<T>): void {
    if (message instanceof Promise) {
      message.then((value) => waiter.resolve({ done: false, value }), waiter.reject);
    } else {
      waiter.resolve({ done: false, value: message });
    }
  }
}
