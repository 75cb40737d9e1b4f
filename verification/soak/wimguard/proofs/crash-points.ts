import {
  checkCrashPoint,
  checkFault,
  listFaults,
  recordCrashPoints,
  type Scenario,
} from "../../../../apps/wimguard/test/crash/crash-points.ts";
import { createCrashSite } from "../../../../apps/wimguard/test/crash/crash-site.ts";
import { checkRestoreStop, listRestoreStops } from "../../../../apps/wimguard/test/crash/restore-stops.ts";
import { runImageScenario, runScenario } from "../../../../apps/wimguard/test/crash/scenario.ts";
import type { Proof } from "../proof.ts";

const verdict = "nothing was lost, nothing was left";

function pointsOf(scenario: Scenario): Proof {
  return {
    items: "crash points",
    count: Number.POSITIVE_INFINITY,
    verdict,
    inOneProcess: true,
    async start() {
      const site = createCrashSite();
      const points = await recordCrashPoints(site, scenario);
      return {
        limit: points.length,
        check: (seed, index) => checkCrashPoint(site, points[index] as (typeof points)[number], seed),
        close: () => site.remove(),
      };
    },
  };
}

/** The machine stops after any durable act of backups, a cancel, failures and deletes. */
export const crashPoints = pointsOf(runScenario);

/** The same for backups that are added to one file, and deleted from it. */
export const appendCrashPoints = pointsOf(runImageScenario);

/** The daemon stops at any act of a restore. */
export const restoreCrashPoints: Proof = {
  items: "stops of restores",
  count: Number.POSITIVE_INFINITY,
  verdict: "each target was as before, or whole",
  inOneProcess: true,
  async start() {
    const stops = await listRestoreStops();
    return {
      limit: stops.length,
      check: (_, index) => checkRestoreStop(stops[index] as (typeof stops)[number]),
    };
  },
};

/** Each act of both scenarios fails with ENOSPC, EIO, EACCES and EMFILE. */
export const faults: Proof = {
  items: "faults",
  count: Number.POSITIVE_INFINITY,
  verdict,
  inOneProcess: true,
  async start() {
    const site = createCrashSite();
    const all: { readonly run: Scenario; readonly fault: { readonly act: number; readonly code: string } }[] = [];
    for (const run of [runScenario, runImageScenario])
      for (const fault of await listFaults(site, run)) all.push({ run, fault });
    return {
      limit: all.length,
      async check(_, index) {
        const { run, fault } = all[index] as (typeof all)[number];
        await checkFault(site, fault, run);
      },
      close: () => site.remove(),
    };
  },
};
