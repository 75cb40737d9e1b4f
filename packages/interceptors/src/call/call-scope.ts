import { AsyncLocalStorage } from "node:async_hooks";
import { type ContextKey, type ContextValues, createContextKey } from "@connectrpc/connect";
import type { RunStep } from "@tercel/grpc/hooks";

/**
 * The context values of the call that is being handled, wherever its code has got to. One storage for all that the interceptors let be
 * asked from anywhere (the request id, the time that is left): entering one costs as much as a small interceptor.
 */
const scope = new AsyncLocalStorage<ContextValues | undefined>();

/** Asked instead of the storage, which costs more. What is entered in a passage stays so to its end. */
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
 * A hook's `runner` that lets everything further in know the call; undefined where an interceptor further out has seen to it, and where
 * it was entered.
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
