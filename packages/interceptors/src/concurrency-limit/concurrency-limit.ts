import { ConnectError, type Interceptor, type StreamRequest, type UnaryRequest } from "@connectrpc/connect";
import { resourceExhausted } from "@tercel/grpc/errors";
import { responseWithMessages, watchMessages } from "@tercel/grpc/hooks";
import { callback, clockOption, type OptionsOf, readOptions, wholeNumber } from "../call/options.ts";
import { withMembers } from "../call/with-members.ts";
import { CallCapacity } from "./call-capacity.ts";

type Request = UnaryRequest | StreamRequest;

export const concurrencyLimitOptions = {
  /** The maximum number of concurrent calls; a stream runs until its end. Required. */
  max: wholeNumber(1).required(),
  /** The maximum number of waiting calls, which are served in order. Default 0: calls over the limit are rejected at once. */
  maxQueued: wholeNumber(0).or(0),
  /** How long a call may wait. Default: until its deadline or its cancellation. */
  maxWaitMs: wholeNumber(1),
  /** Returns the key of a call's limit, for example `(request) => request.method.name`; undefined exempts a call. Default: one limit for all. */
  keyOf: callback<(request: Request) => string | undefined>().or(() => ""),
  /** For tests. */
  clock: clockOption(),
};

export type ConcurrencyLimitOptions = OptionsOf<typeof concurrencyLimitOptions>;

/** A concurrency-limiting interceptor for a server or a channel. */
export interface ConcurrencyLimit extends Interceptor {
  /** Returns the current number of running calls, of one key or of all. */
  running(key?: string): number;
  /** Returns the current number of waiting calls, of one key or of all. */
  queued(key?: string): number;
}

/**
 * Creates an interceptor that limits the number of concurrent calls, lets a limited number wait, and rejects the rest with
 * RESOURCE_EXHAUSTED. For resources with a known capacity: a connection pool, a device, an expensive method.
 *
 * @throws TypeError or RangeError for options that are unknown, missing or out of range
 */
export function createConcurrencyLimit(options: ConcurrencyLimitOptions): ConcurrencyLimit {
  const settings = readOptions("createConcurrencyLimit", concurrencyLimitOptions, options);
  const { max, maxQueued, maxWaitMs, keyOf, clock } = settings;
  /** Only the keys in use, so that keys from requests cannot exhaust the memory. */
  const byKey = new Map<string, CallCapacity>();

  function capacityOf(key: string): CallCapacity {
    const known = byKey.get(key);
    if (known !== undefined) return known;
    const capacity = new CallCapacity(max, maxQueued);
    byKey.set(key, capacity);
    return capacity;
  }

  /** Resolves when the call may run. Returns undefined if it may run at once. */
  function turn(capacity: CallCapacity, request: Request): Promise<void> | undefined {
    if (capacity.take()) return undefined;
    return new Promise((resolve, reject) => {
      const { signal } = request;
      if (signal.aborted) {
        reject(ConnectError.from(signal.reason));
        return;
      }
      const stop = (): void => {
        leave?.();
        cancelTimer?.();
        signal.removeEventListener("abort", onAbort);
      };
      const onAbort = (): void => {
        stop();
        reject(ConnectError.from(signal.reason));
      };
      const leave = capacity.wait(() => {
        stop();
        resolve();
      });
      if (leave === undefined) {
        reject(refusal(max, maxQueued === 0 ? "" : ` and ${maxQueued} wait`));
        return;
      }
      const cancelTimer =
        maxWaitMs === undefined
          ? undefined
          : clock.after(maxWaitMs, () => {
              stop();
              reject(refusal(max, `; waited ${maxWaitMs} ms`));
            });
      signal.addEventListener("abort", onAbort, { once: true });
    });
  }

  const interceptor: Interceptor = (next) => async (request) => {
    const key = keyOf(request);
    if (key === undefined) return next(request);
    const capacity = capacityOf(key);
    const turning = turn(capacity, request);
    if (turning !== undefined) await turning;
    let isOver = false;
    const end = (error?: unknown): unknown => {
      if (!isOver) {
        isOver = true;
        capacity.give();
        if (capacity.isUnused) byKey.delete(key);
      }
      return error;
    };
    try {
      const response = await next(request);
      if (response.stream) {
        const watched = watchMessages(response.message, { onEnd: end, onError: end, onLeave: end });
        // If the caller never reads the responses, the call's signal ends the stream.
        request.signal.addEventListener("abort", () => end(), { once: true });
        return responseWithMessages(response, watched);
      }
      end();
      return response;
    } catch (error) {
      throw end(error);
    }
  };

  const total = (count: (capacity: CallCapacity) => number, key: string | undefined): number => {
    const counted = key === undefined ? [...byKey.values()] : [byKey.get(key)];
    return counted.reduce((sum, capacity) => sum + (capacity === undefined ? 0 : count(capacity)), 0);
  };
  return withMembers(interceptor, {
    running: (key?: string) => total((capacity) => capacity.running, key),
    queued: (key?: string) => total((capacity) => capacity.queued, key),
  });
}

function refusal(max: number, rest: string): ConnectError {
  return resourceExhausted({
    message: `concurrency limit reached: ${max} calls run${rest}`,
    reason: "TOO_MANY_CONCURRENT_CALLS",
    domain: "tercel",
  });
}
