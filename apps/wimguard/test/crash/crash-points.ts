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

/** A moment at which the machine stops, and what of the acts before it survives. */
export interface CrashPoint {
  readonly acts: readonly Act[];
  readonly survival: Survival;
}

/** Runs a scenario on file systems with hard links and without, and returns every moment at which it may stop. */
export async function recordCrashPoints(site: CrashSite, run: Scenario = runScenario): Promise<CrashPoint[]> {
  const recordings: (readonly Act[])[] = [];
  for (const hasLinks of [true, false]) recordings.push((await run(site, { hasLinks })).acts);
  return recordings.flatMap((acts) =>
    acts.flatMap((_, at) => survivals.map((survival) => ({ acts: acts.slice(0, at + 1), survival }))),
  );
}

/** Makes the disk what a stop at this moment leaves, starts again, and checks that nothing is lost and nothing left. */
export async function checkCrashPoint(site: CrashSite, { acts, survival }: CrashPoint, seed: number): Promise<void> {
  site.restore(crashImage(acts, survival, createRandom(seed)));
  try {
    await site.check(factsOf(acts), foreignOf(acts));
  } catch (error) {
    const last = JSON.stringify(acts.at(-1), (name, value) => (name === "bytes" || name === "database" ? "…" : value));
    throw new Error(`after act ${acts.length} (${last}), with ${survival} of what was not synced, seed ${seed}`, {
      cause: error,
    });
  }
}

/** Checks some of the moments, spread over all of them. Returns how many. */
export async function checkCrashPoints(
  site: CrashSite,
  { points, seed }: CrashPointOptions,
  run: Scenario = runScenario,
): Promise<number> {
  return sample(await recordCrashPoints(site, run), { points, seed }, (point, at) =>
    checkCrashPoint(site, point, seed + at),
  );
}

/** An act that fails, with the error of the system. */
export interface Fault {
  readonly act: number;
  readonly code: string;
}

/** Each act of a scenario with each error. */
export async function listFaults(site: CrashSite, run: Scenario = runScenario): Promise<Fault[]> {
  const { count } = await run(site);
  return faultCodes.flatMap((code) => Array.from({ length: count }, (_, act) => ({ act, code })));
}

/** Runs a scenario in which one act fails, and checks what is left. */
export async function checkFault(site: CrashSite, failAt: Fault, run: Scenario = runScenario): Promise<void> {
  const { acts } = await run(site, { failAt });
  try {
    await site.check(factsOf(acts), foreignOf(acts));
  } catch (error) {
    throw new Error(`with ${failAt.code} at act ${failAt.act}`, { cause: error });
  }
}

/** Lets some acts fail, one in each run. Returns how many. */
export async function checkFaults(
  site: CrashSite,
  { points, seed }: CrashPointOptions,
  run: Scenario = runScenario,
): Promise<number> {
  return sample(await listFaults(site, run), { points, seed }, (fault) => checkFault(site, fault, run));
}

async function sample<Item>(
  items: readonly Item[],
  { points, seed }: CrashPointOptions,
  check: (item: Item, at: number) => Promise<void>,
): Promise<number> {
  const step = Math.max(1, Math.floor(items.length / points));
  let checked = 0;
  for (let at = Math.floor(createRandom(seed)() * step); at < items.length; at += step) {
    await check(items[at] as Item, at);
    checked++;
  }
  return checked;
}
