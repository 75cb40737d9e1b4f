import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import type { Counts } from "./proof.ts";

/** How far a proof has come: it is kept in a file, so that a run which was stopped continues. */
export interface LedgerState {
  /** Of the first item; item n has this seed plus n. */
  readonly seed: number;
  /** Items from the first one on that were checked. */
  done: number;
  /** Seeds of items that failed. */
  failed: number[];
  /** Time that all runs together took. */
  elapsedMs: number;
  /** What the items that are done had. */
  counts: Record<string, number>;
}

/** The file of one proof. */
export class Ledger {
  readonly state: LedgerState;
  readonly #path: string;
  /** Items that were checked while one before them was not: they count when it is. */
  readonly #ahead = new Map<number, Counts>();

  private constructor(path: string, state: LedgerState) {
    this.#path = path;
    this.state = state;
  }

  /** Continues from the file, unless `isFresh` or another seed says to begin. */
  static open(path: string, { seed, isFresh }: { readonly seed?: number; readonly isFresh: boolean }): Ledger {
    const known = isFresh ? undefined : readState(path);
    if (known !== undefined && (seed === undefined || seed === known.seed)) return new Ledger(path, known);
    rmSync(path, { force: true });
    const newSeed = seed ?? 1 + (Date.now() % 1_000_000_000);
    return new Ledger(path, { seed: newSeed, done: 0, failed: [], elapsedMs: 0, counts: {} });
  }

  /** An item was checked. Items may end in any order. */
  add(index: number, counts: Counts): void {
    const { state } = this;
    this.#ahead.set(index, counts);
    for (let next = this.#ahead.get(state.done); next !== undefined; next = this.#ahead.get(state.done)) {
      this.#ahead.delete(state.done);
      state.done++;
      for (const [what, number] of Object.entries(next)) state.counts[what] = (state.counts[what] ?? 0) + number;
    }
  }

  /** An item was checked, and something is wrong with it. */
  fail(index: number): void {
    const seed = this.state.seed + index;
    if (!this.state.failed.includes(seed)) this.state.failed.push(seed);
    this.add(index, {});
  }

  save(): void {
    mkdirSync(dirname(this.#path), { recursive: true });
    const draft = `${this.#path}.draft`;
    writeFileSync(draft, `${JSON.stringify(this.state)}\n`);
    renameSync(draft, this.#path);
  }
}

function readState(path: string): LedgerState | undefined {
  if (!existsSync(path)) return undefined;
  try {
    const { seed, done, failed, elapsedMs, counts = {} } = JSON.parse(readFileSync(path, "utf8")) as LedgerState;
    const isWhole = [seed, done, elapsedMs, ...Object.values(counts)].every(Number.isFinite) && Array.isArray(failed);
    return isWhole ? { seed, done, failed, elapsedMs, counts } : undefined;
  } catch {
    return undefined;
  }
}
