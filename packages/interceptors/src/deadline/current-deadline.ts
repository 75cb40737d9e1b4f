import { type ContextKey, createContextKey } from "@connectrpc/connect";
import { currentValues, runWithValues } from "../call/call-scope.ts";
import { overlaidValues } from "../call/overlaid-values.ts";

/** The remaining time of the current call. */
export interface TimeBudget {
  /** Returns the remaining milliseconds; undefined without a deadline. */
  remainingMs(): number | undefined;
  /** Aborts when the call ends: by its deadline, a cancellation, or its response. */
  readonly signal: AbortSignal;
}

/** The context key of a call's time budget, on servers. */
export const budgetKey: ContextKey<TimeBudget | undefined> = createContextKey<TimeBudget | undefined>(undefined, {
  description: "time budget",
});

export function currentBudget(): TimeBudget | undefined {
  return currentValues()?.get(budgetKey);
}

/** Returns the remaining milliseconds of the current call, 0 after its deadline. Undefined outside of calls and without a deadline. */
export function remainingMs(): number | undefined {
  return currentBudget()?.remainingMs();
}

/** Returns the deadline of the current call by the wall clock. Undefined outside of calls and without a deadline. */
export function currentDeadline(): Date | undefined {
  const left = remainingMs();
  return left === undefined ? undefined : new Date(Date.now() + left);
}

/**
 * Returns a signal that aborts when the current call ends. Pass it to `fetch`, timers and database queries, so that they stop when no one needs
 * their result. Undefined outside of calls, which these accept as "no signal".
 */
export function currentSignal(): AbortSignal | undefined {
  return currentBudget()?.signal;
}

/** Runs work that must continue after the current call has ended. Neither the work nor the calls it makes have the call's deadline and signal. */
export function withoutDeadline<R>(run: () => R): R {
  const values = currentValues();
  return values === undefined ? run() : runWithValues(overlaidValues(values, budgetKey, undefined), run);
}
