import { AsyncLocalStorage } from "node:async_hooks";

/** What is left of the call that is being handled. */
export interface TimeBudget {
  /** Undefined where there is no deadline. */
  remainingMs(): number | undefined;
  /** Aborted when the call ends: by its deadline, a cancellation, or its answer. */
  readonly signal: AbortSignal;
}

const budgets = new AsyncLocalStorage<TimeBudget | undefined>();

export function runWithBudget<R>(budget: TimeBudget, run: () => R): R {
  return budgets.run(budget, run);
}

export function currentBudget(): TimeBudget | undefined {
  return budgets.getStore();
}

/** Milliseconds left to the call being handled, 0 when its time is up; undefined outside of calls and without a deadline. */
export function remainingMs(): number | undefined {
  return budgets.getStore()?.remainingMs();
}

/** When the call being handled has to be answered, by the wall clock; undefined outside of calls and without a deadline. */
export function currentDeadline(): Date | undefined {
  const left = remainingMs();
  return left === undefined ? undefined : new Date(Date.now() + left);
}

/**
 * Aborted when the call being handled ends: for `fetch`, timers and databases, which then stop working for nobody. Undefined outside
 * of calls, which is what all of these take for "no signal".
 */
export function currentSignal(): AbortSignal | undefined {
  return budgets.getStore()?.signal;
}

/** Runs what is to go on after the call being handled has ended: it sees neither deadline nor signal, nor do the calls it makes. */
export function withoutDeadline<R>(run: () => R): R {
  return budgets.run(undefined, run);
}
