import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";

/** How far a proof has come: it is kept in a file, so that a run which was stopped continues. */
export interface LedgerState {
  /** Of the first item; item n has this seed plus n. */
  readonly seed: number;
  /** Items that were checked. */
  done: number;
  /** Seeds of items that failed. */
  failed: number[];
  /** Time that all runs together took. */
  elapsedMs: number;
}

/** The file of one proof. */
export class Ledger {
  readonly state: LedgerState;
  readonly #path: string;

  private constructor(path: string, state: LedgerState) {
    this.#path = path;
    this.state = state;
  }

  /** Continues from the file, unless `isFresh` or another seed says to begin. */
  static open(path: string, { seed, isFresh }: { readonly seed?: number; readonly isFresh: boolean }): Ledger {
    const known = isFresh ? undefined : readState(path);
    if (known !== undefined && (seed === undefined || seed === known.seed)) return new Ledger(path, known);
    rmSync(path, { force: true });
    return new Ledger(path, { seed: seed ?? 1 + (Date.now() % 1_000_000_000), done: 0, failed: [], elapsedMs: 0 });
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
    const { seed, done, failed, elapsedMs } = JSON.parse(readFileSync(path, "utf8")) as LedgerState;
    const isWhole = [seed, done, elapsedMs].every(Number.isFinite) && Array.isArray(failed);
    return isWhole ? { seed, done, failed, elapsedMs } : undefined;
  } catch {
    return undefined;
  }
}
