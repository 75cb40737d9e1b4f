import { ConnectError, type Interceptor, type StreamRequest, type UnaryRequest } from "@connectrpc/connect";
import { type Clock, systemClock } from "@tercel/grpc";
import { resourceExhausted } from "@tercel/grpc/errors";
import { responseWithMessages, watchMessages } from "@tercel/grpc/hooks";
import { checkWholeNumber, refuseUnknownOptions } from "@tercel/grpc/internal";
import { Places } from "./places.ts";

type Request = UnaryRequest | StreamRequest;

export interface ConcurrencyLimitOptions {
  /** Calls that may run at once; a stream runs until its end. */
  max: number;
  /** Calls that may wait for their turn, first come, first served. Default 0: what cannot run is refused. */
  maxQueued?: number;
  /** How long a call may wait. Default: until its deadline, or until it is cancelled. */
  maxWaitMs?: number;
  /** Which calls share a limit, such as `(request) => request.method.name`; undefined exempts a call. Default: all of them share one. */
  keyOf?: (request: Request) => string | undefined;
  clock?: Clock;
}

export interface ConcurrencyLimit {
  /** For a server or a channel. */
  readonly interceptor: Interceptor;
  /** Calls running at the moment, of one key or of all. */
  running(key?: string): number;
  /** Calls waiting at the moment, of one key or of all. */
  queued(key?: string): number;
}

/**
 * Lets a bounded number of calls run at once, has a bounded number wait, and refuses the rest with RESOURCE_EXHAUSTED. For what has a
 * known capacity: a pool of connections, a device, an expensive method.
 *
 * @throws TypeError or RangeError for options that are unknown, missing or out of bounds
 */
export function createConcurrencyLimit(options: ConcurrencyLimitOptions): ConcurrencyLimit {
  const where = "createConcurrencyLimit";
  refuseUnknownOptions(where, options, ["max", "maxQueued", "maxWaitMs", "keyOf", "clock"]);
  // A missing limit would be none.
  checkWholeNumber(where, "max", options.max ?? Number.NaN, 1, Number.MAX_SAFE_INTEGER);
  checkWholeNumber(where, "maxQueued", options.maxQueued, 0, Number.MAX_SAFE_INTEGER);
  checkWholeNumber(where, "maxWaitMs", options.maxWaitMs, 1, Number.MAX_SAFE_INTEGER);
  const { max, maxQueued = 0, maxWaitMs, keyOf = () => "", clock = systemClock } = options;
  /** Only keys in use, so that keys made from requests cannot fill the memory. */
  const byKey = new Map<string, Places>();

  function placesOf(key: string): Places {
    const known = byKey.get(key);
    if (known !== undefined) return known;
    const places = new Places(max, maxQueued);
    byKey.set(key, places);
    return places;
  }

  /** Kept when the call may run. */
  function turn(places: Places, request: Request): Promise<void> | undefined {
    if (places.take()) return undefined;
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
      const leave = places.wait(() => {
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
              reject(refusal(max, `, and no turn came within ${maxWaitMs} ms`));
            });
      signal.addEventListener("abort", onAbort, { once: true });
    });
  }

  const interceptor: Interceptor = (next) => async (request) => {
    const key = keyOf(request);
    if (key === undefined) return next(request);
    const places = placesOf(key);
    const turning = turn(places, request);
    if (turning !== undefined) await turning;
    let isOver = false;
    const end = (error?: unknown): unknown => {
      if (!isOver) {
        isOver = true;
        places.give();
        if (places.isUnused) byKey.delete(key);
      }
      return error;
    };
    try {
      const response = await next(request);
      if (response.stream) {
        const watched = watchMessages(response.message, { onEnd: end, onError: end, onLeave: end });
        // Whoever never reads the responses ends the stream by the call's signal all the same.
        request.signal.addEventListener("abort", () => end(), { once: true });
        return responseWithMessages(response, watched);
      }
      end();
      return response;
    } catch (error) {
      throw end(error);
    }
  };

  const total = (count: (places: Places) => number, key: string | undefined): number => {
    const counted = key === undefined ? [...byKey.values()] : [byKey.get(key)];
    return counted.reduce((sum, places) => sum + (places === undefined ? 0 : count(places)), 0);
  };
  return {
    interceptor,
    running: (key) => total((places) => places.running, key),
    queued: (key) => total((places) => places.queued, key),
  };
}

function refusal(max: number, rest: string): ConnectError {
  return resourceExhausted({
    message: `${max} calls run already, which is as many as are allowed${rest}`,
    reason: "TOO_MANY_CONCURRENT_CALLS",
    domain: "tercel",
  });
}
