import type { Interceptor } from "@connectrpc/connect";
import { callInfo } from "@tercel/grpc";
import { type CallRequest, createHookedInterceptor } from "@tercel/grpc/hooks";
import { scopeRunner } from "../call/call-scope.ts";
import { type ByMethod, createMethodTable } from "../call/method-selector.ts";
import { type OptionsOf, own, readOptions, type SettingsOf, wholeNumber } from "../call/options.ts";
import { budgetKey, type TimeBudget } from "./current-deadline.ts";

export const timeLimitOptions = {
  /** For calls whose client set no deadline, in milliseconds. Default: `maxMs`. */
  defaultMs: wholeNumber(1),
  /** The most that a client can get, in milliseconds. Default: as much as it asks for. */
  maxMs: wholeNumber(1),
};

/** How long calls may take. */
export type TimeLimits = OptionsOf<typeof timeLimitOptions>;

export const serverDeadlineOptions = {
  ...timeLimitOptions,
  /**
   * Other limits by method. An entry takes the place of the common limits: what it leaves out is not limited, so that `{}` frees a method
   * whose streams must stay open. It is read with each call, so that its getters may change it. Default: none.
   */
  methods: own<ByMethod<TimeLimits>>("an object with limits by method").or({}),
};

export type ServerDeadlineOptions = OptionsOf<typeof serverDeadlineOptions>;

/**
 * A server interceptor that gives calls a deadline where the client set none or asks for too long, and lets `remainingMs()`,
 * `currentSignal()` and `currentDeadline()` say what is left, however deep inside the handler they are called. The deadline is the
 * call's own: the client gets DEADLINE_EXCEEDED when it passes, and the handler's `context.timeoutMs()` and `context.signal` follow it.
 *
 * On servers other than Tercel's there are the signal and nothing else.
 *
 * @throws TypeError or RangeError for options that are unknown or out of bounds
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

  /** Created when it is first used: a signal costs more than a small call. */
  get signal(): AbortSignal {
    return this.request.signal;
  }
}

function checkOrder(where: string, { defaultMs, maxMs }: SettingsOf<typeof timeLimitOptions>): void {
  if (defaultMs !== undefined && maxMs !== undefined && defaultMs > maxMs) {
    throw new RangeError(`${where}: defaultMs is ${defaultMs}, which is more than maxMs, ${maxMs}`);
  }
}
