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

/** Which calls go first when not all can be served. "exempt" is never held up and not counted. */
export type Priority = "critical" | "normal" | "low" | "exempt";

const priority = oneOf("critical", "normal", "low", "exempt");

export const loadSheddingOptions = {
  /**
   * Unary calls of one method that may run at once before anything is learned. Default 200: as many streams as a connection may have open by
   * default, so that a server without load lets in all that a client can send.
   */
  initialLimit: wholeNumber(1).or(200),
  /** The least that is allowed of a method, so that there is something to learn from. Default 5. */
  minLimit: wholeNumber(1).or(5),
  /** The most that is allowed of a method. Default 1000. */
  maxLimit: wholeNumber(1).or(1000),
  /** Calls of all methods that may wait; normal ones fill 90 % of it, low ones 60 %. Default 1000. 0: what cannot run is refused at once. */
  maxQueued: wholeNumber(0).or(1000),
  /**
   * How long a call may wait. When no call of a method that waited was served within `overloadedWaitMs` for this long, the method is overloaded.
   * Default 1000 ms: a burst is over by then, and most callers still wait.
   */
  maxWaitMs: wholeNumber(1).or(1000),
  /**
   * How long a call may wait while its method is overloaded; then the newest is served first. Default 250 ms, a wait that callers hardly
   * notice, or `maxWaitMs` if that is less.
   */
  overloadedWaitMs: wholeNumber(1),
  /** How often the limits are reconsidered. Default 500 ms. */
  windowMs: wholeNumber(1).or(500),
  /**
   * When the event loop is later than this on the mean of a window, calls that are not critical are let in turn by turn, and others' frames and
   * timers in between. Default 100 ms. 0 switches this off.
   */
  maxLoopDelayMs: wholeNumber(0).or(100),
  /** Priorities by method. Default "normal", and "exempt" for `grpc.health.v1.Health/*`. */
  methods: own<ByMethod<Priority>>("an object with priorities by method").or({}),
  /** The services that `methods` is checked against. Default: it is not. */
  services: servicesOption(),
  /** How long refused clients must wait, at least; up to twice as long, so that they do not come back together. Default 1000 ms. */
  retryAfterMs: wholeNumber(1).or(1000),
  /** For tests. */
  clock: clockOption(),
  /** For tests: from 0 up to 1. Default `Math.random`. */
  random: callback<() => number>().or(() => Math.random()),
  /** What measures the event loop. Default: `perf_hooks`. */
  loopDelay: withMethods<LoopDelay>("a measurement with the methods takeMeanMs and stop", "takeMeanMs", "stop"),
};

export type LoadSheddingOptions = OptionsOf<typeof loadSheddingOptions>;

/** The load of one method at the moment. */
export interface MethodLoadReport {
  /** `package.Service/Method`. */
  readonly method: string;
  /** Unary calls of it that may run at once. */
  readonly limit: number;
  /** Unary calls of it that run. */
  readonly running: number;
  /** Calls of it that wait, streams included. */
  readonly queued: number;
  /** More calls of it come than can be served: the newest is served first, and the wait is short. */
  readonly isOverloaded: boolean;
}

/** An interceptor for a server. */
export interface LoadShedding extends Interceptor {
  /** Unary calls running at the moment. */
  readonly running: number;
  /** Calls waiting at the moment. */
  readonly queued: number;
  /** Calls refused so far. */
  readonly refused: number;
  /** The load of each method that was called. */
  methods(): MethodLoadReport[];
  /** Ends the measuring of the event loop, and lets in what waits. */
  close(): void;
}

/**
 * Keeps an overloaded server useful: it runs as many calls of each method at once as bring results, has others wait for a short time, and refuses
 * the rest with UNAVAILABLE before they have cost anything. The error says when to try again (google.rpc.RetryInfo). Without load
 * no call waits and none is refused.
 *
 * @throws TypeError or RangeError for options that are unknown or out of bounds
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
  /** As many as the services have methods; undefined for those that are exempt. */
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

  /** Asked by calls, so that a server without any needs no timer. */
  function turnWindow(nowMs: number): void {
    if (loopDelay === undefined || nowMs < windowEndsMs) return;
    windowEndsMs = nowMs + windowMs;
    admission.reportLoop(loopDelay.takeMeanMs() > maxLoopDelayMs);
  }

  function refusal(load: MethodLoad, reason: RefusalReason, waitedMs: number): ConnectError {
    const why =
      reason === "queue full" ? "too many calls wait already" : `no turn came within ${Math.round(waitedMs)} ms`;
    const state = `${load.running} calls of the method run, of at most ${load.limit}, and ${load.queue.length} wait`;
    return unavailable({
      message: `not run: the server is overloaded (${why}; ${state}); wait as long as google.rpc.RetryInfo says before trying again`,
      reason: "OVERLOADED",
      domain: "tercel",
      metadata: { method: load.method },
      retryAfterMs: Math.round(retryAfterMs * (1 + random())),
    });
  }

  /** Resolves when the call may run, to when that was. */
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

  /** The state is when the call began to run; undefined for those that are not counted. */
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
      // Most errors are quicker than any work, so they say nothing; a missed deadline is what all this is about.
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

/** Microseconds in 32 bits, which need no object of their own among the states of a call's hooks. They wrap after an hour. */
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
