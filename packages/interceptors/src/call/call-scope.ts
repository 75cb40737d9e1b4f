import { AsyncLocalStorage } from "node:async_hooks";
import type { ContextValues } from "@connectrpc/connect";
import type { RunStep } from "@tercel/grpc";

/**
 * The context values of the call that is being handled, wherever its code has got to. One storage for all that the interceptors let be
 * asked from anywhere (the request id, the time that is left): entering one costs as much as a small interceptor.
 */
const scope = new AsyncLocalStorage<ContextValues | undefined>();

/** Undefined outside of calls. */
export function currentValues(): ContextValues | undefined {
  return scope.getStore();
}

export function runWithValues<R>(values: ContextValues | undefined, step: () => R): R {
  return scope.run(values, step);
}

/** For what follows in the running code, until it is called again. */
export function enterValues(values: ContextValues | undefined): void {
  scope.enterWith(values);
}

/** What enters the scope of a call; undefined where an interceptor further out has done so. */
export function scopeRunner(call: { readonly contextValues: ContextValues }): RunStep | undefined {
  const { contextValues } = call;
  if (scope.getStore() === contextValues) return undefined;
  return (step) => scope.run(contextValues, step);
}
