import { Code, ConnectError, type Interceptor, type StreamRequest, type UnaryRequest } from "@connectrpc/connect";
import { type Clock, checkWholeNumber, refuseUnknownOptions, systemClock } from "@tercel/grpc";
import { unavailable } from "@tercel/grpc/errors";
import { methodPath } from "../call/method-path.ts";
import { createMethodTable } from "../call/method-table.ts";
import { AdaptiveLimit } from "./adaptive-limit.ts";
import { type LoopDelay, measureLoopDelay } from "./loop-delay.ts";

/** Who is refused first. "exempt" is never refused and not counted. */
export type Priority = "critical" | "normal" | "low" | "exempt";

/** How much of the limit calls of a priority may fill, so that there is room for those above. */
const shares = { critical: 1, normal: 0.9, low: 0.6 } as const;

export interface LoadSheddingOptions {
  /** Calls at once before anything is learned. Default 50. */
  initialLimit?: number;
  /** Default 5: whatever happens, so many run, so that there is something to learn from. */
  minLimit?: number;
  /** Default 1000. */
  maxLimit?: number;
  /** How many times slower than usual calls may be before the limit sinks. Default 1.5. */
  tolerance?: number;
  /** How often the limit is reconsidered. Default 500 ms. */
  windowMs?: number;
  /**
   * When the event loop is later than this on the mean of a window, the limit sinks and only critical calls are let in during the next.
   * 0 switches this off. Default 100 ms.
   */
  maxLoopDelayMs?: number;
  /** By `package.Service/Method` or `package.Service`. Default "normal", and "exempt" for `grpc.health.v1.Health`. */
  priorities?: Readonly<Record<string, Priority>>;
  /** What refused clients are told to wait, at least; up to twice as long, so that they do not come back together. Default 1000 ms. */
  retryAfterMs?: number;
  clock?: Clock;
  /** From 0 up to 1. Default `Math.random`. */
  random?: () => number;
  /** What measures the event loop. Default: `perf_hooks`. */
  loopDelay?: LoopDelay;
}

export interface LoadShedding {
  /** For a server. */
  readonly interceptor: Interceptor;
  /** How many unary calls may run at once, as things are. */
  readonly limit: number;
  /** Unary calls running at the moment. */
  readonly running: number;
  /** Calls refused so far. */
  readonly refused: number;
  /** Ends the measuring of the event loop. */
  close(): void;
}

/**
 * Refuses with UNAVAILABLE what a server cannot answer in time, before it has cost anything. How much that is it learns from how long
 * calls take, and from the event loop. The client is told when to come again (google.rpc.RetryInfo).
 *
 * @throws TypeError or RangeError for options that are unknown or out of bounds
 */
export function createLoadShedding(options: LoadSheddingOptions = {}): LoadShedding {
  const { clock, windowMs, maxLoopDelayMs, retryAfterMs, random, byMethod, adaptive, loopDelay } = checked(options);
  let running = 0;
  let refused = 0;
  let windowEndsMs = clock.nowMs() + windowMs;
  let isStalled = false;

  /** Asked by calls, so that a server without any needs no timer. */
  function turnWindow(nowMs: number): void {
    if (nowMs < windowEndsMs) return;
    windowEndsMs = nowMs + windowMs;
    isStalled = loopDelay !== undefined && loopDelay.takeMeanMs() > maxLoopDelayMs;
    adaptive.endWindow(isStalled);
  }

  function mayRun(priority: keyof typeof shares): boolean {
    if (isStalled && priority !== "critical") return false;
    return running < Math.max(1, Math.floor(adaptive.limit * shares[priority]));
  }

  function refusal(request: UnaryRequest | StreamRequest): ConnectError {
    refused++;
    const why = isStalled ? "its event loop is late" : `${running} calls run, of at most ${adaptive.limit}`;
    return unavailable({
      message: `not run: the server has more to do than it can (${why})`,
      reason: "OVERLOADED",
      domain: "tercel",
      metadata: { method: methodPath(request) },
      retryAfterMs: Math.round(retryAfterMs * (1 + random())),
    });
  }

  const interceptor: Interceptor = (next) => async (request) => {
    const priority = byMethod.find(request) ?? "normal";
    if (priority === "exempt") return next(request);
    const begunMs = clock.nowMs();
    turnWindow(begunMs);
    if (!mayRun(priority)) throw refusal(request);
    // A stream may stay open for days: it is let in or not, but it neither fills the limit nor says how fast the server is.
    if (request.stream) return next(request);
    running++;
    let code: Code | undefined;
    try {
      return await next(request);
    } catch (error) {
      code = error instanceof ConnectError ? error.code : Code.Internal;
      throw error;
    } finally {
      const endedMs = clock.nowMs();
      // Most errors are quicker than any work; a missed deadline is what all this is about.
      if (code === undefined || code === Code.DeadlineExceeded) {
        adaptive.sample(methodPath(request), endedMs - begunMs, running);
      }
      running--;
      turnWindow(endedMs);
    }
  };

  return {
    interceptor,
    get limit() {
      return adaptive.limit;
    },
    get running() {
      return running;
    },
    get refused() {
      return refused;
    },
    close: () => loopDelay?.stop(),
  };
}

function checked(options: LoadSheddingOptions) {
  const where = "createLoadShedding";
  refuseUnknownOptions(where, options, [
    "initialLimit",
    "minLimit",
    "maxLimit",
    "tolerance",
    "windowMs",
    "maxLoopDelayMs",
    "priorities",
    "retryAfterMs",
    "clock",
    "random",
    "loopDelay",
  ]);
  const most = Number.MAX_SAFE_INTEGER;
  checkWholeNumber(where, "initialLimit", options.initialLimit, 1, most);
  checkWholeNumber(where, "minLimit", options.minLimit, 1, most);
  checkWholeNumber(where, "maxLimit", options.maxLimit, 1, most);
  checkWholeNumber(where, "windowMs", options.windowMs, 1, most);
  checkWholeNumber(where, "maxLoopDelayMs", options.maxLoopDelayMs, 0, most);
  checkWholeNumber(where, "retryAfterMs", options.retryAfterMs, 1, most);
  const { minLimit = 5, maxLimit = 1000, tolerance = 1.5, maxLoopDelayMs = 100 } = options;
  if (!(tolerance >= 1)) throw new RangeError(`${where}: tolerance is ${String(tolerance)}; it has to be at least 1`);
  if (minLimit > maxLimit)
    throw new RangeError(`${where}: minLimit is ${minLimit}, which is more than maxLimit, ${maxLimit}`);
  for (const [name, priority] of Object.entries(options.priorities ?? {})) {
    if (priority in shares || priority === "exempt") continue;
    throw new TypeError(
      `${where}: ${name} has priority ${JSON.stringify(priority)}; there are critical, normal, low and exempt`,
    );
  }
  const initialLimit = Math.max(minLimit, Math.min(maxLimit, options.initialLimit ?? 50));
  return {
    clock: options.clock ?? systemClock,
    windowMs: options.windowMs ?? 500,
    maxLoopDelayMs,
    retryAfterMs: options.retryAfterMs ?? 1000,
    random: options.random ?? Math.random,
    byMethod: createMethodTable<Priority>(where, "priorities", {
      "grpc.health.v1.Health": "exempt",
      ...options.priorities,
    }),
    adaptive: new AdaptiveLimit({ initialLimit, minLimit, maxLimit, tolerance }),
    loopDelay: maxLoopDelayMs === 0 ? undefined : (options.loopDelay ?? measureLoopDelay()),
  };
}
