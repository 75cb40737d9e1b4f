import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { AdaptiveLimit } from "./adaptive-limit.ts";

const settings = { initialLimit: 50, minLimit: 5, maxLimit: 200, tolerance: 1.5 };

function windows(limit: AdaptiveLimit, count: number, durationMs: number, running: number, samples = 50): void {
  for (let at = 0; at < count; at++) {
    for (let call = 0; call < samples; call++) limit.sample("a", durationMs, running);
    limit.endWindow(false);
  }
}

describe("adaptive limit", () => {
  it("grows while calls take as long as usual and fill it, up to its bound", () => {
    const limit = new AdaptiveLimit(settings);
    windows(limit, 1, 10, 50);
    assert.equal(limit.limit, 51);
    windows(limit, 200, 10, 200);
    assert.equal(limit.limit, 200);
  });

  it("stays where nobody comes near it", () => {
    const limit = new AdaptiveLimit(settings);
    windows(limit, 50, 10, 24);
    assert.equal(limit.limit, 50);
    windows(limit, 1, 10, 25);
    assert.equal(limit.limit, 51);
  });

  it("sinks when calls take longer than it tolerates, down to its bound", () => {
    const limit = new AdaptiveLimit(settings);
    windows(limit, 4, 10, 10);
    windows(limit, 1, 40, 50, 10);
    assert.ok(limit.limit < 50, String(limit.limit));
    const slow = new AdaptiveLimit({ ...settings, minLimit: 20 });
    windows(slow, 100, 10, 1);
    windows(slow, 20, 100, 50, 10);
    assert.equal(slow.limit, 20);
  });

  it("bears what it tolerates", () => {
    const limit = new AdaptiveLimit(settings);
    windows(limit, 4, 10, 10);
    windows(limit, 1, 14, 10, 10);
    assert.equal(limit.limit, 50);
  });

  it("compares each method with itself", () => {
    const limit = new AdaptiveLimit(settings);
    for (let call = 0; call < 200; call++) {
      limit.sample("quick", 1, 10);
      limit.sample("slow", 500, 10);
    }
    limit.endWindow(false);
    // Now only the slow one is called, as slow as ever.
    for (let call = 0; call < 50; call++) limit.sample("slow", 500, 10);
    limit.endWindow(false);
    assert.equal(limit.limit, 50);
  });

  it("concludes nothing from a few calls, and keeps them for the next window", () => {
    const limit = new AdaptiveLimit(settings);
    windows(limit, 4, 10, 10);
    windows(limit, 1, 1000, 50, 9);
    assert.equal(limit.limit, 50);
    windows(limit, 1, 1000, 50, 1);
    assert.ok(limit.limit < 50, String(limit.limit));
  });

  it("sinks when it is told that the process is stalled", () => {
    const limit = new AdaptiveLimit(settings);
    limit.endWindow(true);
    assert.equal(limit.limit, 45);
  });
});
