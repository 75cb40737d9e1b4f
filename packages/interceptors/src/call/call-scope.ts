import { AsyncLocalStorage } from "node:async_hooks";
import { type ContextKey, type ContextValues, createContextKey } from "@connectrpc/connect";
import type { RunStep } from "@tercel/grpc/hooks";

/**
 * The context values of the call that is being handled, for all code that runs for it. One storage for everything that can be read from
 * anywhere (the request id, the time that is left): entering a storage costs as much as a small interceptor.
 */
const scope = new AsyncLocalStorage<ContextValues | undefined>();

/** Read instead of the storage, which costs more. What was entered in a run of the hooks stays entered to its end. */
const wasEntered: ContextKey<boolean> = createContextKey(false, { description: "scope was entered" });

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
 * A hook's `runner` that makes the call known to everything further in; undefined where an interceptor further out has done so, and where
 * the storage was entered.
 */
export function scopeRunner(
  call: { readonly contextValues: ContextValues },
  _state: unknown,
  mayEnter: boolean,
): RunStep | undefined {
  const { contextValues } = call;
  if (mayEnter) {
    if (contextValues.get(wasEntered)) return undefined;
    contextValues.set(wasEntered, true);
    scope.enterWith(contextValues);
    return undefined;
  }
  return scope.getStore() === contextValues ? undefined : (step) => scope.run(contextValues, step);
}
