import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type OpenLoopFigures, readOpenLoopFigures } from "./figures.ts";

const good: OpenLoopFigures = { calls: 3000, errors: {}, p50Micros: 90, p99Micros: 400, lagP99Micros: 60 };
const read = (change: Partial<OpenLoopFigures>): OpenLoopFigures =>
  readOpenLoopFigures(JSON.stringify({ ...good, ...change }));

describe("what an open loop reports", () => {
  it("is accepted if every call got a response", () => {
    assert.deepEqual(read({}), good);
  });

  it("is refused if calls failed, with their number and the reasons", () => {
    assert.throws(() => read({ errors: { OVERFLOW: 7 } }), /7 of 3007 calls failed, 7 by OVERFLOW/);
  });

  it("is refused if no call was made", () => {
    assert.throws(() => read({ calls: 0 }), /no call was due/);
  });

  it("is refused if it is mostly the generator's own delay, on both sides of the limits", () => {
    read({ lagP99Micros: 500, p99Micros: 600 });
    read({ lagP99Micros: 501, p99Micros: 1002 });
    assert.throws(() => read({ lagP99Micros: 501, p99Micros: 1001 }), /the generator was up to 501 µs late/);
  });
});
