import type { Interceptor, StreamRequest, StreamResponse } from "@connectrpc/connect";
import type { Clock } from "@tercel/grpc";
import { responseWithMessages } from "@tercel/grpc/hooks";

type Next = ReturnType<Interceptor>;

/** The maximum delay of a timer in Node. A longer one would fire at once. */
const maxDelayMs = 0x7fff_ffff;

/** Runs a stream, which fails with the error of `makeError` as soon as `remainingMs` is 0. */
export async function endAtExpiry(
  next: Next,
  request: StreamRequest,
  clock: Clock,
  remainingMs: () => number,
  makeError: () => Error,
): Promise<StreamResponse> {
  const expiry = new Expiry(clock, remainingMs, makeError);
  try {
    const response = (await expiry.unlessPassed(() => next(request))) as StreamResponse;
    const messages = response.message;
    return responseWithMessages(response, {
      [Symbol.asyncIterator]: () => new ExpiringIterator(messages[Symbol.asyncIterator](), expiry),
    });
  } catch (error) {
    expiry.callOff();
    throw error;
  }
}

class Expiry {
  private readonly clock: Clock;
  private readonly remainingMs: () => number;
  private readonly makeError: () => Error;
  private error: Error | undefined = undefined;
  private stopTimer: () => void = () => {};
  /** The reject function of the pending step. One promise for the whole stream would keep a reaction for every message. */
  private rejectPending: ((error: Error) => void) | undefined = undefined;

  constructor(clock: Clock, remainingMs: () => number, makeError: () => Error) {
    this.clock = clock;
    this.remainingMs = remainingMs;
    this.makeError = makeError;
    this.arm();
  }

  unlessPassed<T>(take: () => Promise<T>): Promise<T> {
    if (this.error !== undefined) return Promise.reject(this.error);
    return new Promise((resolve, reject) => {
      this.rejectPending = reject;
      take().then(resolve, reject);
    });
  }

  callOff(): void {
    this.stopTimer();
  }

  private arm(): void {
    const delayMs = Math.min(Math.max(this.remainingMs(), 0), maxDelayMs);
    this.stopTimer = this.clock.after(delayMs, () => {
      if (this.remainingMs() > 0) {
        this.arm();
        return;
      }
      this.error = this.makeError();
      this.rejectPending?.(this.error);
    });
  }
}

class ExpiringIterator<T> implements AsyncIterator<T> {
  private readonly source: AsyncIterator<T>;
  private readonly expiry: Expiry;

  constructor(source: AsyncIterator<T>, expiry: Expiry) {
    this.source = source;
    this.expiry = expiry;
  }

  async next(): Promise<IteratorResult<T>> {
    try {
      const result = await this.expiry.unlessPassed(() => this.source.next());
      if (result.done === true) this.expiry.callOff();
      return result;
    } catch (error) {
      this.expiry.callOff();
      // The source may be in a step that never ends, so its result is ignored.
      this.source.return?.().catch(() => {});
      throw error;
    }
  }

  return(value?: unknown): Promise<IteratorResult<T>> {
    this.expiry.callOff();
    return this.source.return?.(value) ?? Promise.resolve({ done: true, value });
  }
}
