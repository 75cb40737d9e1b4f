// Long: it stops a backup at more than a hundred of its acts, and checks what each stop leaves.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { after, before, describe, it } from "node:test";
import { checkCrashPoints, checkFaults } from "./crash-points.ts";
import { type CrashSite, createCrashSite } from "./crash-site.ts";
import { checkRestoreStop, listRestoreStops } from "./restore-stops.ts";
import { runImageScenario } from "./scenario.ts";

const withoutWim: string | false =
  spawnSync("wimlib-imagex", ["--version"]).status !== 0 && "wimlib-imagex is not installed";

// A sample of what `npm run soak -- wimguard crash-points faults` checks whole.
const seed = Math.floor(Math.random() * 1_000_000);

describe("a backup and a delete", () => {
  let site: CrashSite;
  before(() => {
    site = createCrashSite();
  });
  after(() => site.remove());

  it("lose nothing and leave nothing when the machine stops at any durable act", async () => {
    assert.ok((await checkCrashPoints(site, { points: 100, seed })) >= 100);
  });

  it("lose nothing of a file that they share", { skip: withoutWim }, async () => {
    assert.ok((await checkCrashPoints(site, { points: 40, seed }, runImageScenario)) >= 40);
    assert.ok((await checkFaults(site, { points: 6, seed }, runImageScenario)) >= 6);
  });

  it("lose nothing and leave nothing when a durable act fails", async () => {
    assert.ok((await checkFaults(site, { points: 12, seed })) >= 12);
  });
});

describe("a restore", () => {
  it("leaves its target as it was or whole when the daemon ends at any of its acts", async () => {
    const stops = await listRestoreStops();
    assert.ok(stops.length >= 10, `${stops.length} acts`);
    for (const stop of stops) await checkRestoreStop(stop);
  });
});
