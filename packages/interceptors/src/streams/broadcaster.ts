import { Code, ConnectError } from "@connectrpc/connect";
import { type OptionsOf, oneOf, readOptions, wholeNumber } from "../call/options.ts";

/** What happens to messages that a subscriber does not read in time. */
export type WhenSlow =
  /** The oldest message gives way: for states, where the newest is what counts. */
  | "drop-oldest"
  /** The new message is not kept: for samples. */
  | "drop-newest"
  /** The subscriber fails with RESOURCE_EXHAUSTED: for events, none of which may be missing. It can come back and resume. */
  | "disconnect";

export const broadcasterOptions = {
  /** What happens to messages that a subscriber does not read in time. Required: each choice loses something else. */
  whenSlow: oneOf<WhenSlow>("drop-oldest", "drop-newest", "disconnect").required(),
  /** Messages that are kept for each subscriber. Default 1000. */
  maxBuffered: wholeNumber(1).or(1000),
  /** Subscribers at once; one more fails with RESOURCE_EXHAUSTED. Default 10,000. */
  maxSubscribers: wholeNumber(1).or(10_000),
};

export type BroadcasterOptions = OptionsOf<typeof broadcasterOptions>;

export interface Broadcaster<T> {
  /** Hands a message to all subscribers, and waits for none. */
  publish(message: T): void;
  /** What is published from now on, until the signal is aborted: for handlers that is `context.signal`. */
  subscribe(options: { readonly signal: AbortSignal }): AsyncIterableIterator<T>;
  readonly subscribers: number;
  /** Messages that slow subscribers have missed so far. */
  readonly dropped: number;
  /** Ends all streams, with an error if one is given; what is buffered is read before. Later subscribers get the same. */
  close(error?: ConnectError): void;
}

/**
 * Sends each message to many streams. A subscriber that reads slowly costs a bounded buffer and does not slow the others down.
 *
 * @throws TypeError or RangeError for options that are unknown, missing or out of bounds
 */
export function createBroadcaster<T>(options: BroadcasterOptions): Broadcaster<T> {
  const settings = readOptions("createBroadcaster", broadcasterOptions, options);
  const { whenSlow, maxBuffered, maxSubscribers } = settings;
  const subscribers = new Set<Subscriber<T>>();
  let dropped = 0;
  let closed: { readonly error: ConnectError | undefined } | undefined;
  const host: SubscriberHost = {
    maxBuffered,
    whenSlow,
    onDrop: () => {
      dropped++;
    },
    onLeave: (subscriber) => subscribers.delete(subscriber as Subscriber<T>),
  };

  return {
    publish(message) {
      if (closed !== undefined) return;
      for (const subscriber of subscribers) subscriber.offer(message);
    },
    subscribe({ signal }) {
      const subscriber = new Subscriber<T>(host, signal);
      if (closed !== undefined) subscriber.end(closed.error);
      else if (subscribers.size >= maxSubscribers) {
        subscriber.end(new ConnectError(`subscriber limit reached: ${maxSubscribers}`, Code.ResourceExhausted));
      } else if (signal.aborted) subscriber.end(undefined);
      else subscribers.add(subscriber);
      return subscriber;
    },
    get subscribers() {
      return subscribers.size;
    },
    get dropped() {
      return dropped;
    },
    close(error) {
      closed ??= { error };
      for (const subscriber of subscribers) subscriber.end(error);
    },
  };
}

interface SubscriberHost {
  readonly maxBuffered: number;
  readonly whenSlow: WhenSlow;
  onDrop(): void;
  onLeave(subscriber: unknown): void;
}

interface Reader<T> {
  resolve(result: IteratorResult<T>): void;
  reject(error: unknown): void;
}

class Subscriber<T> implements AsyncIterableIterator<T> {
  private readonly host: SubscriberHost;
  private readonly signal: AbortSignal;
  private buffer: T[] = [];
  private readers: Reader<T>[] = [];
  private ended: { error: ConnectError | undefined } | undefined = undefined;

  constructor(host: SubscriberHost, signal: AbortSignal) {
    this.host = host;
    this.signal = signal;
    signal.addEventListener("abort", this.onAbort, { once: true });
  }

  offer(message: T): void {
    const reader = this.readers.shift();
    const { maxBuffered, whenSlow } = this.host;
    if (reader !== undefined) reader.resolve({ done: false, value: message });
    else if (this.buffer.length < maxBuffered) this.buffer.push(message);
    else if (whenSlow === "disconnect") this.disconnect();
    else {
      this.host.onDrop();
      if (whenSlow === "drop-newest") return;
      this.buffer.shift();
      this.buffer.push(message);
    }
  }

  end(error: ConnectError | undefined): void {
    if (this.ended !== undefined) return;
    this.ended = { error };
    this.signal.removeEventListener("abort", this.onAbort);
    this.host.onLeave(this);
    // Whoever waits has an empty buffer.
    for (const reader of this.readers.splice(0)) this.settle(reader);
  }

  next(): Promise<IteratorResult<T>> {
    return new Promise((resolve, reject) => {
      const reader = { resolve, reject };
      if (this.buffer.length > 0) resolve({ done: false, value: this.buffer.shift() as T });
      else if (this.ended !== undefined) this.settle(reader);
      else this.readers.push(reader);
    });
  }

  return(): Promise<IteratorResult<T>> {
    this.buffer = [];
    this.end(undefined);
    return Promise.resolve({ done: true, value: undefined });
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  /** What it has not read is dropped: a client that resumes requests it again, and until then it would only fill the memory. */
  private disconnect(): void {
    for (let at = 0; at <= this.buffer.length; at++) this.host.onDrop();
    this.buffer = [];
    const message = `the subscriber is too slow: ${this.host.maxBuffered} messages were waiting for it`;
    this.end(new ConnectError(message, Code.ResourceExhausted));
  }

  private readonly onAbort = (): void => {
    this.buffer = [];
    this.end(undefined);
  };

  private settle(reader: Reader<T>): void {
    const error = this.ended?.error;
    if (error === undefined) reader.resolve({ done: true, value: undefined });
    else {
      reader.reject(error);
      // It is reported once; then the stream is over.
      this.ended = { error: undefined };
    }
  }
}
