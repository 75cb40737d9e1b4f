import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Random } from "../../harness/random.ts";
import { poissonArrivals } from "./arrivals.ts";

describe("arrivals of independent calls", () => {
  const random = new Random(20261201);
  const arrivals = [...poissonArrivals(1000, 100_000, () => random.fraction())];
  const gaps = arrivals.map((dueMs, index) => dueMs - (arrivals[index - 1] ?? 0));

  it("are in order, as many as the rate says, and none after the end", () => {
    assert.ok(gaps.every((gap) => gap >= 0));
    assert.ok((arrivals.at(-1) ?? 0) < 100_000);
    // A Poisson count's deviation is its root: 316 of 100,000.
    assert.ok(Math.abs(arrivals.length - 100_000) < 4 * 316, String(arrivals.length));
  });

  it("have exponentially distributed gaps: e⁻¹ of them above the mean, e⁻³ above three times the mean", () => {
    const shareBeyond = (gapMs: number): number => gaps.filter((gap) => gap > gapMs).length / gaps.length;
    assert.ok(Math.abs(shareBeyond(1) - Math.exp(-1)) < 0.01, String(shareBeyond(1)));
    assert.ok(Math.abs(shareBeyond(3) - Math.exp(-3)) < 0.005, String(shareBeyond(3)));
  });

  it("are finite for the greatest number below one, and none if the first is due after the end", () => {
    const [first] = poissonArrivals(1, 1e9, () => 1 - 2 ** -53);
    assert.ok(first !== undefined && Number.isFinite(first));
    assert.deepEqual([...poissonArrivals(1, 500, () => 0.5)], []);
  });
});
