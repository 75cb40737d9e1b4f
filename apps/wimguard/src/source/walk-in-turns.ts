import { setImmediate } from "node:timers/promises";
import { throwIfCancelled } from "../failure/failure.ts";
import { type SourceEntry, type WalkOptions, walkSource } from "./walk-source.ts";

/** Some milliseconds of lookups. */
const entriesAtOnce = 512;

/**
 * Walks a source like `walkSource`, and lets messages of other threads in from time to time.
 *
 * @throws FailureError CANCELLED
 */
export async function* walkInTurns(
  source: string,
  options: WalkOptions,
  signal: AbortSignal,
): AsyncGenerator<SourceEntry> {
  let looked = 0;
  for (const entry of walkSource(source, options)) {
    if (++looked % entriesAtOnce === 0) {
      await setImmediate();
      throwIfCancelled(signal);
    }
    yield entry;
  }
}
