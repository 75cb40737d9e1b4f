import type { Interceptor } from "@connectrpc/connect";
import { callInfo } from "@tercel/grpc";
import { type CallRequest, createHookedInterceptor } from "@tercel/grpc/hooks";
import { checkWholeNumber, refuseUnknownOptions } from "@tercel/grpc/internal";
import { scopeRunner } from "../call/call-scope.ts";
import { createMethodTable } from "../call/method-table.ts";
import { budgetKey, type TimeBudget } from "./current-deadline.ts";

/** How long calls may take. Read with each call, so that getters may change it later; it is checked at the start. */
export interface TimeLimits {
  /** For calls whose client set no deadline. Default: `maxMs`. */
  defaultMs?: number | undefined;
  /** The most that a client can get. Default: as much as it asks for. */
  maxMs?: number | undefined;
}

export interface ServerDeadlineOptions extends TimeLimits {
  /**
   * Other limits for single methods (`package.Service/Method`) or services (`package.Service`). An entry stands for itself: what it
   * leaves out is not limited, so that `{}` frees a method whose streams are to stay open.
   */
  methods?: Readonly<Record<string, TimeLimits>>;
}

const limitNames = ["defaultMs", "maxMs"] as const;

/**
 * A server interceptor that gives calls a deadline where the client set none or asks for too long, and lets `remainingMs()`,
 * `currentSignal()` and `currentDeadline()` tell what is left, however deep inside of the handler they are asked. The deadline is the
 * call's own: the client gets DEADLINE_EXCEEDED when it passes, and the handler's `context.timeoutMs()` and `context.signal` know of it.
 *
 * On servers other than Tercel's there are the signal and nothing else.
 *
 * @throws TypeError or RangeError for options that are unknown or out of bounds
 */
export function createServerDeadline(options: ServerDeadlineOptions = {}): Interceptor {
  const where = "createServerDeadline";
  refuseUnknownOptions(where, options, [...limitNames, "methods"]);
  checkLimits(where, options);
  for (const [name, limits] of Object.entries(options.methods ?? {})) {
    refuseUnknownOptions(`${where}: ${name}`, limits, limitNames);
    checkLimits(`${where}: ${name}`, limits);
  }
  const byMethod = createMethodTable(where, "methods", options.methods);

  return createHookedInterceptor({
    begin(request) {
      const info = request.contextValues.get(callInfo);
      const { defaultMs, maxMs } = byMethod.find(request) ?? options;
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

  /** Not asked for before somebody needs it: a signal costs more than a small call. */
  get signal(): AbortSignal {
    return this.request.signal;
  }
}

function checkLimits(where: string, { defaultMs, maxMs }: TimeLimits): void {
  checkWholeNumber(where, "defaultMs", defaultMs, 1, Number.MAX_SAFE_INTEGER);
  checkWholeNumber(where, "maxMs", maxMs, 1, Number.MAX_SAFE_INTEGER);
  if (defaultMs !== undefined && maxMs !== undefined && defaultMs > maxMs) {
    throw new RangeError(`${where}: defaultMs is ${defaultMs}, which is more than maxMs, ${maxMs}`);
  }
}
