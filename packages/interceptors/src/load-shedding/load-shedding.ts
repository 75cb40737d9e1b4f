import type { DescMethod } from "@bufbuild/protobuf";
import { Code, ConnectError, type Interceptor } from "@connectrpc/connect";
import { unavailable } from "@tercel/grpc/errors";
import { type CallRequest, createHookedInterceptor } from "@tercel/grpc/hooks";
import { methodPath } from "../call/method-path.ts";
import { type ByMethod, checkSelectors, createMethodTable } from "../call/method-selector.ts";
import {
  callback,
  clockOption,
  type OptionsOf,
  oneOf,
  own,
  readOption,
  readOptions,
  servicesOption,
  wholeNumber,
  withMethods,
} from "../call/options.ts";
import { withMembers } from "../call/with-members.ts";
import { Admission, type RefusalReason } from "./admission.ts";
import { type LoopDelay, measureLoopDelay } from "./loop-delay.ts";
import { MethodLoad } from "./method-load.ts";

/** Which calls are served first when not all can be. Calls with "exempt" never wait and are not counted. */
export type Priority = "critical" | "normal" | "low" | "exempt";

const priority = oneOf("critical", "normal", "low", "exempt");

export const loadSheddingOptions = {
  /**
   * The initial limit of concurrent unary calls of one method. Default 200, which is also the default limit of concurrent streams on a
   * connection, so that a server without load admits everything that a client can send.
   */
  initialLimit: wholeNumber(1).or(200),
  /** The lowest limit of a method, so that the rate can still be measured. Default 5. */
  minLimit: wholeNumber(1).or(5),
  /** The highest limit of a method. Default 1000. */
  maxLimit: wholeNumber(1).or(1000),
  /** The maximum number of waiting calls of all methods; normal calls may use 90 % of it, low ones 60 %. Default 1000. With 0, no call waits. */
  maxQueued: wholeNumber(0).or(1000),
  /**
   * How long a call may wait. If no waiting call of a method was served within `overloadedWaitMs` for this long, the method is overloaded.
   * Default 1000 ms: a burst is over by then, and most callers are still waiting.
   */
  maxWaitMs: wholeNumber(1).or(1000),
  /**
   * How long a call may wait while its method is overloaded, and the newest calls are served first. Default 250 ms, which callers hardly
   * notice, or `maxWaitMs` if that is less.
   */
  overloadedWaitMs: wholeNumber(1),
  /** How often the limits adapt. Default 500 ms. */
  windowMs: wholeNumber(1).or(500),
  /**
   * If the mean delay of the event loop in a window exceeds this, calls that are not critical are admitted a few per turn, so that frames and
   * timers are handled in between. Default 100 ms. 0 disables this.
   */
  maxLoopDelayMs: wholeNumber(0).or(100),
  /** Priorities by method. Default "normal", and "exempt" for `grpc.health.v1.Health/*`. */
  methods: own<ByMethod<Priority>>("an object with priorities by method").or({}),
  /** The services against which `methods` is checked. Default: not checked. */
  services: servicesOption(),
  /** The minimum retry delay of rejected clients; the delay is up to twice as long, so that they do not retry all at once. Default 1000 ms. */
  retryAfterMs: wholeNumber(1).or(1000),
  /** For tests. */
  clock: clockOption(),
  /** For tests: a number from 0 up to 1. Default `Math.random`. */
  random: callback<() => number>().or(() => Math.random()),
  /** Measures the delay of the event loop. Default: `perf_hooks`. */
  loopDelay: withMethods<LoopDelay>("a measurement with the methods takeMeanMs and stop", "takeMeanMs", "stop"),
};

export type LoadSheddingOptions = OptionsOf<typeof loadSheddingOptions>;

/** The current load of one method. */
export interface MethodLoadReport {
  /** `package.Service/Method`. */
  readonly method: string;
  /** The limit of concurrent unary calls. */
  readonly limit: number;
  /** The number of running unary calls. */
  readonly running: number;
  /** The number of waiting calls, including streams. */
  readonly queued: number;
  /** Whether more calls arrive than can be served: the newest is served first, and calls wait only briefly. */
  readonly isOverloaded: boolean;
}

/** A load-shedding interceptor for a server. */
export interface LoadShedding extends Interceptor {
  /** The current number of running unary calls. */
  readonly running: number;
  /** The current number of waiting calls. */
  readonly queued: number;
  /** The number of calls rejected so far. */
  readonly refused: number;
  /** Returns the load of each method that was called. */
  methods(): MethodLoadReport[];
  /** Stops measuring the event loop, and admits all waiting calls. */
  close(): void;
}

/**
 * Creates an interceptor that keeps an overloaded server responsive. It runs only as many calls of each method as increase the throughput, lets
 * others wait for a short time, and rejects the rest with UNAVAILABLE before they have cost anything. The error has a retry delay in
 * google.rpc.RetryInfo. Without load, no call waits and none is rejected.
 *
 * @throws TypeError or RangeError for options that are unknown or out of range
 */
export function createLoadShedding(options: LoadSheddingOptions = {}): LoadShedding {
  const { clock, windowMs, maxLoopDelayMs, retryAfterMs, random, byMethod, settings, maxQueued, loopDelay } =
    checked(options);
  const admission = new Admission({
    maxQueued,
    nowMs: () => clock.nowMs(),
    after: (delayMs, run) => clock.after(delayMs, run),
    nextTurn: setImmediate,
  });
  /** The loads of all called methods; undefined for exempt ones. */
  const loads = new Map<DescMethod, MethodLoad | undefined>();
  let windowEndsMs = clock.nowMs() + windowMs;

  function loadOf(request: CallRequest): MethodLoad | undefined {
    const { method } = request;
    const known = loads.get(method);
    if (known !== undefined || loads.has(method)) return known;
    const priority = byMethod.find(method)?.value ?? "normal";
    const load =
      priority === "exempt" ? undefined : new MethodLoad(methodPath(request), priority, settings, clock.nowMs());
    loads.set(method, load);
    return load;
  }

  /** Called by calls, so that an idle server needs no timer. */
  function turnWindow(nowMs: number): void {
    if (loopDelay === undefined || nowMs < windowEndsMs) return;
    windowEndsMs = nowMs + windowMs;
    admission.reportLoop(loopDelay.takeMeanMs() > maxLoopDelayMs);
  }

  function refusal(load: MethodLoad, reason: RefusalReason, waitedMs: number): ConnectError {
    const why = reason === "queue full" ? "too many calls wait" : `waited ${Math.round(waitedMs)} ms`;
    const state = `${load.running} of at most ${load.limit} calls of the method run, and ${load.queue.length} wait`;
    return unavailable({
      message: `not run: the server is overloaded (${why}; ${state}); retry after the delay in google.rpc.RetryInfo`,
      reason: "OVERLOADED",
      domain: "tercel",
      metadata: { method: load.method },
      retryAfterMs: Math.round(retryAfterMs * (1 + random())),
    });
  }

  /** Resolves with the start time when the call may run. */
  function turn(load: MethodLoad, request: CallRequest): Promise<number | undefined> {
    return new Promise((resolve, reject) => {
      const { signal } = request;
      if (signal.aborted) {
        reject(ConnectError.from(signal.reason));
        return;
      }
      const onAbort = (): void => {
        giveUp?.();
        reject(ConnectError.from(signal.reason));
      };
      const giveUp = admission.wait(load, request.stream, {
        run() {
          signal.removeEventListener("abort", onAbort);
          resolve(request.stream ? undefined : stampOf(clock.nowMs()));
        },
        refuse(reason, waitedMs) {
          signal.removeEventListener("abort", onAbort);
          reject(refusal(load, reason, waitedMs));
        },
      });
      if (giveUp !== undefined) signal.addEventListener("abort", onAbort, { once: true });
    });
  }

  function ended(request: CallRequest, begunStamp: number | undefined, outcome: "answered" | "late" | "failed"): void {
    const load = begunStamp === undefined ? undefined : loads.get(request.method);
    if (load === undefined) return;
    const nowMs = clock.nowMs();
    if (outcome === "answered") load.answered(elapsedMs(begunStamp as number, nowMs));
    else if (outcome === "late") load.missedDeadline();
    turnWindow(nowMs);
    admission.leave(load);
  }

  /** The state of a call is its start time; undefined for calls that are not counted. */
  const interceptor = createHookedInterceptor<number | undefined>({
    begin(request) {
      const load = loadOf(request);
      if (load === undefined) return undefined;
      const nowMs = clock.nowMs();
      turnWindow(nowMs);
      if (!admission.enter(load, request.stream)) return turn(load, request);
      return request.stream ? undefined : stampOf(nowMs);
    },
    onEnd: (request, begunStamp) => ended(request, begunStamp, "answered"),
    onError(request, begunStamp, error) {
      // Most errors are faster than real work, so they are not measured. A missed deadline shows that the limit is too high.
      const isLate = error instanceof ConnectError && error.code === Code.DeadlineExceeded;
      ended(request, begunStamp, isLate ? "late" : "failed");
      return error;
    },
  });

  return withMembers(interceptor, {
    get running() {
      return admission.running;
    },
    get queued() {
      return admission.queued;
    },
    get refused() {
      return admission.refused;
    },
    methods() {
      const known = [...loads.values()].filter((load) => load !== undefined);
      return known.map(({ method, limit, running, queue }) => {
        return { method, limit, running, queued: queue.length, isOverloaded: queue.isOverloaded };
      });
    },
    close() {
      loopDelay?.stop();
      admission.close();
    },
  });
}

/** Converts to microseconds in 32 bits, which a call's state can store without allocating an object. They wrap after about an hour. */
function stampOf(nowMs: number): number {
  return (nowMs * 1000) | 0;
}

function elapsedMs(stamp: number, nowMs: number): number {
  return Math.max(0, (stampOf(nowMs) - stamp) | 0) / 1000;
}

function checked(options: LoadSheddingOptions) {
  const where = "createLoadShedding";
  const given = readOptions(where, loadSheddingOptions, options);
  const { minLimit, maxLimit, maxLoopDelayMs, maxWaitMs, windowMs, services } = given;
  if (minLimit > maxLimit) {
    throw new RangeError(`${where}: minLimit is ${minLimit}, which is more than maxLimit, ${maxLimit}`);
  }
  checkSelectors(where, "methods", Object.keys(given.methods), services);
  const methods = { "grpc.health.v1.Health/*": "exempt" as const, ...given.methods };
  for (const [selector, value] of Object.entries(methods)) readOption(where, `methods["${selector}"]`, priority, value);
  return {
    ...given,
    byMethod: createMethodTable<Priority>(where, "methods", methods),
    settings: {
      initialLimit: Math.max(minLimit, Math.min(maxLimit, given.initialLimit)),
      minLimit,
      maxLimit,
      windowMs,
      maxWaitMs,
      overloadedWaitMs: given.overloadedWaitMs ?? Math.min(250, maxWaitMs),
    },
    loopDelay: maxLoopDelayMs === 0 ? undefined : (given.loopDelay ?? measureLoopDelay()),
  };
}
