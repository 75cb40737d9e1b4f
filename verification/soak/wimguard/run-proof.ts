import { join } from "node:path";
import { Ledger } from "./ledger.ts";
import type { Proof } from "./proof.ts";

/** How much of a proof is run. */
export interface ProofOptions {
  readonly count: number | undefined;
  readonly seed: number | undefined;
  /** Stop after this time; the next run continues. */
  readonly seconds: number | undefined;
  readonly isFresh: boolean;
}

const ledgers = join(import.meta.dirname, "../../../.cache/soak");
const progressEveryMs = 10_000;
/** Further failures would say nothing new. */
const maxFailures = 5;

/**
 * Runs a proof from where its last run was stopped, by Ctrl-C or by its time, and prints how far it is. Returns whether everything held so
 * far.
 */
export async function runProof(name: string, proof: Proof, options: ProofOptions): Promise<boolean> {
  const { items, verdict, without = false } = proof;
  if (without !== false) {
    console.log(`${name}: cannot be shown here: ${without}`);
    return false;
  }
  const { seed, seconds = Number.POSITIVE_INFINITY, isFresh } = options;
  const { state, ...ledger } = openLedger(name, { ...(seed !== undefined && { seed }), isFresh });
  const started = await proof.start();
  const count = Math.min(options.count ?? proof.count, started.limit ?? Number.POSITIVE_INFINITY);
  const before = state.elapsedMs;
  const startedMs = performance.now();
  const elapsedMs = (): number => performance.now() - startedMs;
  const stop = new AbortController();
  const onSignal = (): void => stop.abort();
  process.on("SIGINT", onSignal).on("SIGTERM", onSignal);
  console.log(`${name}: ${count} ${items}, seed ${state.seed}${state.done > 0 ? `; ${state.done} are done` : ""}`);
  const first = state.done;
  let printedMs = 0;
  try {
    while (state.done < count && state.failed.length < maxFailures) {
      if (stop.signal.aborted || elapsedMs() >= seconds * 1000) break;
      const index = state.done;
      try {
        await started.check(state.seed + index, index);
      } catch (error) {
        // Ctrl-C ends the daemons of an item as well: it is checked again by the next run.
        if (stop.signal.aborted) break;
        state.failed.push(state.seed + index);
        console.error(`${name}: failed with seed ${state.seed + index}:`, error);
      }
      state.done++;
      state.elapsedMs = before + elapsedMs();
      ledger.save();
      if (elapsedMs() - printedMs < progressEveryMs) continue;
      printedMs = elapsedMs();
      const rate = (state.done - first) / (printedMs / 1000);
      console.log(`${name}: ${state.done} of ${count} ${items}, ${rate.toFixed(1)}/s, ${state.failed.length} failed`);
    }
  } finally {
    process.off("SIGINT", onSignal).off("SIGTERM", onSignal);
    await started.close?.();
  }
  const figures = [
    `${state.done} of ${count} ${items}`,
    `seeds ${state.seed} to ${state.seed + Math.max(0, state.done - 1)}`,
    `${Math.round(state.elapsedMs / 1000)} s`,
    ...(started.describe === undefined || state.done === first ? [] : [started.describe()]),
  ].join(", ");
  if (state.failed.length > 0) {
    console.log(`${name}: FAILED: ${figures}; failed with the seeds ${state.failed.join(", ")}`);
    return false;
  }
  const isComplete = state.done >= count;
  console.log(`${name}: ${figures}: ${isComplete ? verdict : "well so far; the same command continues"}`);
  return true;
}

function openLedger(name: string, options: { readonly seed?: number; readonly isFresh: boolean }) {
  const ledger = Ledger.open(join(ledgers, `wimguard-${name}.json`), options);
  return { state: ledger.state, save: () => ledger.save() };
}
