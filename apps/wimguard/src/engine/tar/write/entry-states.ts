import type { Buffer } from "node:buffer";

/** Remembers the states of entries whose names tar was given, until their members have come. tar keeps their order. */
export class EntryStates {
  readonly #waiting: { readonly path: Buffer; readonly state: string | undefined }[] = [];
  #first = 0;

  add(path: Buffer, state: string | undefined): void {
    this.#waiting.push({ path, state });
  }

  /** Forgets what is before it as well: tar could not read that. */
  take(path: Buffer): string | undefined {
    for (let at = this.#first; at < this.#waiting.length; at++) {
      const entry = this.#waiting[at];
      if (entry?.path.equals(path) !== true) continue;
      this.#first = at + 1;
      // Moving what is left costs less the less often it is done.
      if (this.#first > 4096) this.#waiting.splice(0, this.#first);
      if (this.#first > 4096) this.#first = 0;
      return entry.state;
    }
    return undefined;
  }
}
