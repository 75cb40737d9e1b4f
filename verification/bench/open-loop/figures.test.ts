import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type OpenLoopFigures, readOpenLoopFigures } from "./figures.ts";

const good: OpenLoopFigures = { calls: 3000, errors: {}, p50Micros: 90, p99Micros: 400, lagP99Micros: 60 };
const read = (change: Partial<OpenLoopFigures>): OpenLoopFigures =>
  readOpenLoopFigures(JSON.stringify({ ...good, ...change }));

describe("what an open loop reports", () => {
  it("is taken when every call was answered", () => {
    assert.deepEqual(read({}), good);
  });

  it("is refused when calls failed, with how many and why", () => {
    assert.throws(() => read({ errors: { OVERFLOW: 7 } }), /7 of 3007 calls failed, 7 by OVERFLOW/);
  });

  it("is refused when no call was made", () => {
    assert.throws(() => read({ calls: 0 }), /no call was due/);
  });

  it("is refused when the generator's own delay is most of it, both sides of the limits", () => {
    read({ lagP99Micros: 500, p99Micros: 600 });
    read({ lagP99Micros: 501, p99Micros: 1002 });
    assert.throws(() => read({ lagP99Micros: 501, p99Micros: 1001 }), /the generator was up to 501 µs late/);
  });
});
