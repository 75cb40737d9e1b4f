import { crashImage, type Survival } from "./crash-image.ts";
import { type CrashSite, factsOf, foreignOf } from "./crash-site.ts";
import type { Act, RecordingFiles, RecordingOptions } from "./recording-files.ts";
import { runScenario } from "./scenario.ts";

export interface CrashPointOptions {
  /** About so many points; they are spread over all acts. */
  readonly points: number;
  readonly seed: number;
}

/** What is done until it crashes. */
export type Scenario = (site: CrashSite, options?: RecordingOptions) => Promise<RecordingFiles>;

/** Each act is a point for each of these. */
const survivals: readonly Survival[] = ["all", "nothing", "random", "random", "random", "random", "random", "random"];

/** Errors that a disk gives at any moment. */
const faultCodes = ["ENOSPC", "EIO", "EACCES", "EMFILE"];

/** A reproducible random number generator (mulberry32). */
export function createRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Crashes after every act, on file systems with hard links and without. Returns how many points were checked. */
export async function checkCrashPoints(
  site: CrashSite,
  { points, seed }: CrashPointOptions,
  run: Scenario = runScenario,
): Promise<number> {
  const random = createRandom(seed);
  const recordings: (readonly Act[])[] = [];
  for (const hasLinks of [true, false]) recordings.push((await run(site, { hasLinks })).acts);
  const all = recordings.flatMap((acts) =>
    acts.flatMap((_, at) => survivals.map((survival) => ({ acts: acts.slice(0, at + 1), survival }))),
  );
  const step = Math.max(1, Math.floor(all.length / points));
  let checked = 0;
  for (let at = Math.floor(random() * step); at < all.length; at += step) {
    const { acts, survival } = all[at] as (typeof all)[number];
    site.restore(crashImage(acts, survival, random));
    try {
      await site.check(factsOf(acts), foreignOf(acts));
    } catch (error) {
      const last = JSON.stringify(acts.at(-1), (name, value) =>
        name === "bytes" || name === "database" ? "…" : value,
      );
      throw new Error(`after act ${acts.length} (${last}), with ${survival} of what was not synced, seed ${seed}`, {
        cause: error,
      });
    }
    checked++;
  }
  return checked;
}

/** Lets acts fail, one in each run, and checks what is left. Returns how many runs there were. */
export async function checkFaults(
  site: CrashSite,
  { points, seed }: CrashPointOptions,
  run: Scenario = runScenario,
): Promise<number> {
  const { count } = await run(site);
  const all = faultCodes.flatMap((code) => Array.from({ length: count }, (_, act) => ({ act, code })));
  const step = Math.max(1, Math.floor(all.length / points));
  let checked = 0;
  for (let at = Math.floor(createRandom(seed)() * step); at < all.length; at += step) {
    const failAt = all[at] as (typeof all)[number];
    await checkFault(site, { failAt }, run);
    checked++;
  }
  return checked;
}

async function checkFault(site: CrashSite, options: RecordingOptions, run: Scenario): Promise<void> {
  const { acts } = await run(site, options);
  try {
    await site.check(factsOf(acts), foreignOf(acts));
  } catch (error) {
    throw new Error(`with ${options.failAt?.code} at act ${options.failAt?.act}`, { cause: error });
  }
}
