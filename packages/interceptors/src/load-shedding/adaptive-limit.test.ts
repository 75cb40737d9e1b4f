import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { AdaptiveLimit } from "./adaptive-limit.ts";

const settings = { initialLimit: 200, minLimit: 5, maxLimit: 400 };

/** Runs windows of one second in which calls wait, with a rate for each limit. */
function windows(limit: AdaptiveLimit, count: number, rateOf: (limit: number) => number): void {
  for (let at = 0; at < count; at++) limit.endWindow(1000, rateOf(limit.limit), 0);
}

describe("adaptive limit", () => {
  it("decreases to its minimum while a lower concurrency has the same rate", () => {
    const limit = new AdaptiveLimit(settings);
    windows(limit, 10, () => 1000);
    assert.equal(limit.limit, 5);
  });

  it("reverts a step that costs more than a tenth of the rate, but not one that costs less", () => {
    const rateOf = (share: number) => (limit: number) => (limit >= 100 ? 1000 : 1000 * share);
    const costly = new AdaptiveLimit(settings);
    windows(costly, 3, rateOf(0.89));
    assert.equal(costly.limit, 100);
    const cheap = new AdaptiveLimit(settings);
    windows(cheap, 3, rateOf(0.91));
    assert.equal(cheap.limit, 25);
  });

  it("settles near the capacity of the backend, above or below the initial limit", () => {
    for (const places of [12, 40, 150, 300]) {
      const limit = new AdaptiveLimit(settings);
      windows(limit, 400, (running) => 10 * Math.min(running, places));
      assert.ok(limit.limit >= 0.7 * places && limit.limit <= 1.7 * places, `${limit.limit} of ${places}`);
    }
  });

  it("follows changes of the backend's capacity", () => {
    const limit = new AdaptiveLimit(settings);
    windows(limit, 100, (running) => 10 * Math.min(running, 100));
    windows(limit, 300, (running) => 10 * Math.min(running, 20));
    assert.ok(limit.limit <= 34, `${limit.limit}`);
    windows(limit, 400, (running) => 10 * Math.min(running, 150));
    assert.ok(limit.limit >= 105, `${limit.limit}`);
  });

  it("is halved by windows in which all calls exceeded their deadline, and not by windows without calls", () => {
    const limit = new AdaptiveLimit(settings);
    limit.endWindow(1000, 0, 0);
    assert.equal(limit.limit, 200);
    limit.endWindow(1000, 0, 1);
    assert.equal(limit.limit, 100);
    for (let at = 0; at < 10; at++) limit.endWindow(1000, 0, 1);
    assert.equal(limit.limit, 5);
  });

  it("returns to the initial limit while no call waits", () => {
    const limit = new AdaptiveLimit(settings);
    limit.relax(1);
    assert.equal(limit.limit, 200);
    windows(limit, 10, () => 1000);
    limit.relax(1);
    assert.equal(limit.limit, 25);
    limit.relax(100);
    assert.equal(limit.limit, 200);
  });
});
