import { registerHooks, stripTypeScriptTypes } from "node:module";
import { countersName, instrument } from "./instrument.ts";

const maxCounters = 65_536;

/** Classes of branch counts, as in libFuzzer and AFL. More in the same class is not new. */
const classOf = Uint8Array.from({ length: 256 }, (_, hits) => {
  if (hits < 4) return hits === 0 ? 0 : 1 << (hits - 1);
  if (hits < 8) return 8;
  if (hits < 16) return 16;
  if (hits < 32) return 32;
  return hits < 128 ? 64 : 128;
});

/** The coverage of the tested code since the last check, and whether some of it is new. */
export class Coverage {
  private readonly counters = new Uint8Array(maxCounters);
  private readonly words = new Uint32Array(this.counters.buffer);
  private readonly seen = new Uint8Array(maxCounters);
  private used = 0;
  /** The number of branches that were taken at least once. */
  covered = 0;

  /** Instruments every further module whose URL contains one of `parts`. */
  constructor(parts: readonly string[]) {
    // The only way for an instrumented module to find its counters without an import.
    (globalThis as Record<string, unknown>)[countersName] = this.counters;
    registerHooks({
      load: (url, context, nextLoad) => {
        const loaded = nextLoad(url, context);
        if (!parts.some((part) => url.includes(part)) || loaded.source == null) return loaded;
        const text = Buffer.from(loaded.source as Uint8Array).toString("utf8");
        const plain = loaded.format === "module-typescript" ? stripTypeScriptTypes(text) : text;
        const { source, counters } = instrument(plain, this.used);
        this.used += counters;
        if (this.used > maxCounters) throw new Error(`more than ${maxCounters} branches`);
        return { format: "module", source, shortCircuit: true };
      },
    });
  }

  /** The number of branches in the loaded modules. */
  get branches(): number {
    return this.used;
  }

  forget(): void {
    this.counters.fill(0, 0, this.used);
  }

  /** Returns whether there was new coverage since the last call, and resets the counters. */
  takeNews(): boolean {
    const { words, counters, seen } = this;
    let isNew = false;
    const lastWord = (this.used + 3) >>> 2;
    for (let word = 0; word < lastWord; word++) {
      if (words[word] === 0) continue;
      for (let at = word << 2; at < (word << 2) + 4; at++) {
        const hits = classOf[counters[at] as number] as number;
        const before = seen[at] as number;
        if ((hits & ~before) === 0) continue;
        if (before === 0) this.covered++;
        seen[at] = before | hits;
        isNew = true;
      }
      words[word] = 0;
    }
    return isNew;
  }
}
