import { AsyncLocalStorage } from "node:async_hooks";
import { type ContextKey, type ContextValues, createContextKey } from "@connectrpc/connect";
import type { RunStep } from "@tercel/grpc/hooks";

/**
 * The context values of the current call, for all code that runs in its handler. All features share one storage (for the request id, the
 * remaining time and so on), because entering a storage costs as much as a small interceptor.
 */
const scope = new AsyncLocalStorage<ContextValues | undefined>();

/** Whether the storage was entered, which then stays so until the hooks' run ends. Reading this is cheaper than reading the storage. */
const wasEntered: ContextKey<boolean> = createContextKey(false, { description: "scope was entered" });

/** Returns the context values of the current call; undefined outside of calls. */
export function currentValues(): ContextValues | undefined {
  return scope.getStore();
}

export function runWithValues<R>(values: ContextValues | undefined, step: () => R): R {
  return scope.run(values, step);
}

/** Sets the context values for the rest of the running code, until the next call of this function. */
export function enterValues(values: ContextValues | undefined): void {
  scope.enterWith(values);
}

/**
 * The `runner` of a hook that makes the call's context values available to everything inside. Returns undefined if an outer interceptor has
 * done that, or if it has entered the storage itself.
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
