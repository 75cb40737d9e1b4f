import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { checkCrashPoints, checkFaults } from "./crash-points.ts";
import { type CrashSite, createCrashSite } from "./crash-site.ts";

// A sample of what `crash/run.ts` checks whole.
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

  it("lose nothing and leave nothing when a durable act fails", async () => {
    assert.ok((await checkFaults(site, { points: 12, seed })) >= 12);
  });
});
