import { type ContextKey, createContextKey } from "@connectrpc/connect";
import { currentValues, runWithValues } from "../call/call-scope.ts";
import { overlaidValues } from "../call/overlaid-values.ts";

/** What is left of the call that is being handled. */
export interface TimeBudget {
  /** Undefined where there is no deadline. */
  remainingMs(): number | undefined;
  /** Aborted when the call ends: by its deadline, a cancellation, or its answer. */
  readonly signal: AbortSignal;
}

/** On servers, the budget of the call among its context values. */
export const budgetKey: ContextKey<TimeBudget | undefined> = createContextKey<TimeBudget | undefined>(undefined, {
  description: "time budget",
});

export function currentBudget(): TimeBudget | undefined {
  return currentValues()?.get(budgetKey);
}

/** Milliseconds left to the call being handled, 0 when its time is up; undefined outside of calls and without a deadline. */
export function remainingMs(): number | undefined {
  return currentBudget()?.remainingMs();
}

/** The deadline of the call being handled, by the wall clock; undefined outside of calls and without a deadline. */
export function currentDeadline(): Date | undefined {
  const left = remainingMs();
  return left === undefined ? undefined : new Date(Date.now() + left);
}

/**
 * Aborted when the call being handled ends: for `fetch`, timers and databases, which then stop working for no one. Undefined outside
 * of calls, which is what all of these take for "no signal".
 */
export function currentSignal(): AbortSignal | undefined {
  return currentBudget()?.signal;
}

/** Runs what must continue after the call being handled has ended: it sees neither deadline nor signal, nor do the calls it makes. */
export function withoutDeadline<R>(run: () => R): R {
  const values = currentValues();
  return values === undefined ? run() : runWithValues(overlaidValues(values, budgetKey, undefined), run);
}
