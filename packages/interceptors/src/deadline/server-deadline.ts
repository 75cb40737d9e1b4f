import type { Interceptor } from "@connectrpc/connect";
import { callInfo } from "@tercel/grpc";
import { type CallRequest, createHookedInterceptor } from "@tercel/grpc/hooks";
import { scopeRunner } from "../call/call-scope.ts";
import { type ByMethod, createMethodTable } from "../call/method-selector.ts";
import { type OptionsOf, own, readOptions, type SettingsOf, wholeNumber } from "../call/options.ts";
import { budgetKey, type TimeBudget } from "./current-deadline.ts";

export const timeLimitOptions = {
  /** The deadline of calls whose client has set none, in milliseconds. Default: `maxMs`. */
  defaultMs: wholeNumber(1),
  /** The maximum deadline that a client can set, in milliseconds. Default: no maximum. */
  maxMs: wholeNumber(1),
};

/** The time limits of calls. */
export type TimeLimits = OptionsOf<typeof timeLimitOptions>;

export const serverDeadlineOptions = {
  ...timeLimitOptions,
  /**
   * Limits by method. An entry replaces the common limits completely: `{}` removes all limits of a method whose streams must stay open. Entries
   * are read for each call, so their getters may return changing values. Default: none.
   */
  methods: own<ByMethod<TimeLimits>>("an object with limits by method").or({}),
};

export type ServerDeadlineOptions = OptionsOf<typeof serverDeadlineOptions>;

/**
 * Creates a server interceptor that limits the deadlines of calls, and provides `remainingMs()`, `currentSignal()` and `currentDeadline()`
 * everywhere inside handlers. A limit is the call's real deadline: when it passes, the client gets DEADLINE_EXCEEDED, and the handler's
 * `context.timeoutMs()` and `context.signal` reflect it.
 *
 * On servers other than Tercel's, only `currentSignal()` works, and limits have no effect.
 *
 * @throws TypeError or RangeError for options that are unknown or out of range
 */
export function createServerDeadline(options: ServerDeadlineOptions = {}): Interceptor {
  const where = "createServerDeadline";
  const settings = readOptions(where, serverDeadlineOptions, options);
  checkOrder(where, settings);
  const byMethod = createMethodTable(where, "methods", settings.methods);
  for (const [selector, limits] of Object.entries(settings.methods)) {
    const entry = `${where}: methods["${selector}"]`;
    checkOrder(entry, readOptions(entry, timeLimitOptions, limits));
  }

  return createHookedInterceptor({
    begin(request) {
      const info = request.contextValues.get(callInfo);
      const { defaultMs, maxMs } = byMethod.find(request.method)?.value ?? settings;
      const limitMs = info?.hasDeadline !== true ? (defaultMs ?? maxMs) : maxMs;
      if (limitMs !== undefined) info?.shortenDeadline(limitMs);
      request.contextValues.set(budgetKey, new CallBudget(request));
    },
    runner: scopeRunner,
  });
}

class CallBudget implements TimeBudget {
  private readonly request: CallRequest;

  constructor(request: CallRequest) {
    this.request = request;
  }

  remainingMs(): number | undefined {
    return this.request.contextValues.get(callInfo)?.remainingMs();
  }

  /** A getter, because the signal is created at its first use: a signal costs more than a small call. */
  get signal(): AbortSignal {
    return this.request.signal;
  }
}

function checkOrder(where: string, { defaultMs, maxMs }: SettingsOf<typeof timeLimitOptions>): void {
  if (defaultMs !== undefined && maxMs !== undefined && defaultMs > maxMs) {
    throw new RangeError(`${where}: defaultMs is ${defaultMs}, which is more than maxMs, ${maxMs}`);
  }
}
