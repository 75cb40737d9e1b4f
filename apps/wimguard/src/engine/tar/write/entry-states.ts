import type { Buffer } from "node:buffer";
import type { BigIntStats } from "node:fs";
import { fileState } from "../../../source/file-state.ts";

/** An entry as it was when its name was given to tar. */
export interface LookedEntry {
  /** What the next backup compares; undefined where it has to read the entry again. */
  readonly state: string | undefined;
  readonly isFolder: boolean;
  readonly uid: number;
  readonly gid: number;
  readonly ctimeNs: bigint;
}

export function toLookedEntry(stats: BigIntStats): LookedEntry {
  return {
    state: fileState(stats, Date.now()),
    isFolder: stats.isDirectory(),
    uid: Number(stats.uid),
    gid: Number(stats.gid),
    ctimeNs: stats.ctimeNs,
  };
}

/** Remembers the entries whose names tar was given, until their members have come. tar keeps their order. */
export class EntryStates {
  readonly #waiting: { readonly path: Buffer; readonly looked: LookedEntry }[] = [];
  #first = 0;

  add(path: Buffer, looked: LookedEntry): void {
    this.#waiting.push({ path, looked });
  }

  /** Forgets what is before it as well: tar could not read that. */
  take(path: Buffer): LookedEntry | undefined {
    for (let at = this.#first; at < this.#waiting.length; at++) {
      const entry = this.#waiting[at];
      if (entry?.path.equals(path) !== true) continue;
      this.#first = at + 1;
      // Moving what is left costs less the less often it is done.
      if (this.#first > 4096) this.#waiting.splice(0, this.#first);
      if (this.#first > 4096) this.#first = 0;
      return entry.looked;
    }
    return undefined;
  }
}
