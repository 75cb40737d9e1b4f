import { inItsFolder } from "./item-folder.ts";
import { type ItemRunner, startItemRunner } from "./item-runner.ts";
import { Ledger } from "./ledger.ts";
import { ledgerPath } from "./paths.ts";
import type { Proof } from "./proof.ts";

/** How much of a proof is run. */
export interface ProofOptions {
  readonly count: number | undefined;
  readonly seed: number | undefined;
  /** Stop after this time; the next run continues. */
  readonly seconds: number | undefined;
  readonly isFresh: boolean;
  /** Processes that check items. */
  readonly jobs: number;
}

const progressEveryMs = 10_000;
/** Further failures would say nothing new. */
const maxFailures = 5;

/**
 * Runs a proof from where its last run was stopped, by Ctrl-C or by its time, and prints how far it is. Returns whether everything held so
 * far.
 */
export async function runProof(name: string, proof: Proof, options: ProofOptions): Promise<boolean> {
  const { without = false } = proof;
  if (without !== false) {
    console.log(`${name}: cannot be shown here: ${without}`);
    return false;
  }
  const { seed, isFresh, jobs } = options;
  const ledger = Ledger.open(ledgerPath(name), { ...(seed !== undefined && { seed }), isFresh });
  return inItsFolder(proof, async () => {
    const runner = await startItemRunner(name, proof, jobs);
    try {
      return await runItems(name, proof, { runner, ledger, options });
    } finally {
      await runner.close();
    }
  });
}

interface ProofRun {
  readonly runner: ItemRunner;
  readonly ledger: Ledger;
  readonly options: ProofOptions;
}

async function runItems(name: string, proof: Proof, { runner, ledger, options }: ProofRun): Promise<boolean> {
  const { items, verdict } = proof;
  const { seconds = Number.POSITIVE_INFINITY } = options;
  const { state } = ledger;
  const count = Math.min(options.count ?? proof.count, runner.limit);
  const [first, before, startedMs] = [state.done, state.elapsedMs, performance.now()];
  const elapsedMs = (): number => performance.now() - startedMs;
  const stop = new AbortController();
  const onSignal = (): void => stop.abort();
  process.on("SIGINT", onSignal).on("SIGTERM", onSignal);
  console.log(`${name}: ${count} ${items}, seed ${state.seed}${state.done > 0 ? `; ${state.done} are done` : ""}`);
  let next = first;
  let printedMs = 0;
  const checkItems = async (): Promise<void> => {
    while (next < count && state.failed.length < maxFailures) {
      if (stop.signal.aborted || elapsedMs() >= seconds * 1000) return;
      const index = next++;
      try {
        ledger.add(index, await runner.check(state.seed + index, index));
      } catch (error) {
        // Ctrl-C ends the daemons of an item as well: it is checked again by the next run.
        if (stop.signal.aborted) return;
        ledger.fail(index);
        console.error(`${name}: failed with seed ${state.seed + index}:`, error);
      }
      state.elapsedMs = before + elapsedMs();
      ledger.save();
      if (elapsedMs() - printedMs < progressEveryMs) continue;
      printedMs = elapsedMs();
      const rate = (state.done - first) / (printedMs / 1000);
      console.log(`${name}: ${state.done} of ${count} ${items}, ${rate.toFixed(1)}/s, ${state.failed.length} failed`);
    }
  };
  try {
    await Promise.all(Array.from({ length: runner.jobs }, checkItems));
  } finally {
    process.off("SIGINT", onSignal).off("SIGTERM", onSignal);
  }
  const figures = [
    `${state.done} of ${count} ${items}`,
    `seeds ${state.seed} to ${state.seed + Math.max(0, state.done - 1)}`,
    `${Math.round(state.elapsedMs / 1000)} s`,
    ...Object.entries(state.counts).map(([what, number]) => `${number} ${what}`),
  ].join(", ");
  if (state.failed.length > 0) {
    console.log(`${name}: FAILED: ${figures}; failed with the seeds ${state.failed.join(", ")}`);
    return false;
  }
  console.log(`${name}: ${figures}: ${state.done >= count ? verdict : "well so far; the same command continues"}`);
  return true;
}
