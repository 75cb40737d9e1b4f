import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { ByteRate } from "./byte-rate.ts";

describe("ByteRate", () => {
  it("says nothing before half a second, and then the rate of the last five", () => {
    const rate = new ByteRate();
    assert.equal(rate.add(0, 0), undefined);
    assert.equal(rate.add(100, 499), undefined);
    assert.equal(rate.add(100, 500), 200);
    for (let second = 1; second <= 20; second++) rate.add(1000 * second, 1000 * second);
    assert.equal(rate.add(21_000, 21_000), 1000);
    assert.ok((rate.add(21_000, 24_000) ?? 0) < 1000);
  });
});
