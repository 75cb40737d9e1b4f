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

/**
 * A hook's `runner` that lets everything further in know the call; undefined where an interceptor further out has seen to it, and where
 * it was entered.
 */
export function scopeRunner(
  call: { readonly contextValues: ContextValues },
  _state: unknown,
  mayEnter: boolean,
): RunStep | undefined {
  const { contextValues } = call;
  if (scope.getStore() === contextValues) return undefined;
  if (!mayEnter) return (step) => scope.run(contextValues, step);
  scope.enterWith(contextValues);
  return undefined;
}
