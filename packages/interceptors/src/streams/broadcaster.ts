import { Code, ConnectError } from "@connectrpc/connect";
import { type OptionsOf, oneOf, readOptions, wholeNumber } from "../call/options.ts";

/** The policy for a subscriber whose buffer is full. */
export type WhenSlow =
  /** Drops the oldest message: for states, of which only the newest matters. */
  | "drop-oldest"
  /** Drops the new message: for samples. */
  | "drop-newest"
  /** Ends the subscriber with RESOURCE_EXHAUSTED: for events, none of which may be lost. The client can reconnect and resume. */
  | "disconnect";

export const broadcasterOptions = {
  /** The policy for a subscriber whose buffer is full. Required, because each policy loses something different. */
  whenSlow: oneOf<WhenSlow>("drop-oldest", "drop-newest", "disconnect").required(),
  /** The maximum number of buffered messages for each subscriber. Default 1000. */
  maxBuffered: wholeNumber(1).or(1000),
  /** The maximum number of subscribers; further ones fail with RESOURCE_EXHAUSTED. Default 10,000. */
  maxSubscribers: wholeNumber(1).or(10_000),
};

export type BroadcasterOptions = OptionsOf<typeof broadcasterOptions>;

export interface Broadcaster<T> {
  /** Sends a message to all subscribers without waiting. */
  publish(message: T): void;
  /** Returns the messages that are published from now on, until the signal aborts. Handlers pass `context.signal`. */
  subscribe(options: { readonly signal: AbortSignal }): AsyncIterableIterator<T>;
  /** The current number of subscribers. */
  readonly subscribers: number;
  /** The number of messages that slow subscribers have lost so far. */
  readonly dropped: number;
  /** Ends all streams after their buffered messages, with `error` if it is set. The streams of later subscribers end the same way. */
  close(error?: ConnectError): void;
}

/**
 * Creates a broadcaster, which sends each message to many streams. A slow subscriber costs a bounded buffer, and does not slow down others.
 *
 * @throws TypeError or RangeError for options that are unknown, missing or out of range
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
    // Readers wait only while the buffer is empty.
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

  /** Drops the buffered messages: a client that resumes requests them again, and until then they would only use memory. */
  private disconnect(): void {
    for (let at = 0; at <= this.buffer.length; at++) this.host.onDrop();
    this.buffer = [];
    const message = `the subscriber is too slow: its buffer of ${this.host.maxBuffered} messages is full`;
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
      // The error is reported once. After that, the stream has ended.
      this.ended = { error: undefined };
    }
  }
}
