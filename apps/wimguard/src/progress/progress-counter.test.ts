import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { ProgressCounter } from "./progress-counter.ts";

describe("ProgressCounter", () => {
  it("says 0 of 0 until the total is known", () => {
    const counter = new ProgressCounter();
    counter.add(5);
    assert.deepEqual(counter.count, { bytesDone: 0, bytesTotal: 0 });
  });

  it("never falls, never exceeds the total, and ends at it", () => {
    fc.assert(
      fc.property(
        fc.nat(1000),
        fc.array(fc.tuple(fc.boolean(), fc.integer({ min: -50, max: 400 }))),
        fc.nat(2000),
        (total, steps, final) => {
          const counter = new ProgressCounter();
          counter.setTotal(total);
          let before = 0;
          for (const [isStep, bytes] of steps) {
            if (isStep) counter.add(bytes);
            else counter.reach(bytes);
            const { bytesDone, bytesTotal } = counter.count;
            assert.ok(bytesDone >= before && bytesDone <= bytesTotal);
            before = bytesDone;
          }
          const size = counter.finish(final);
          assert.ok(size >= before && size >= final);
          assert.deepEqual(counter.count, { bytesDone: size, bytesTotal: size });
        },
      ),
    );
  });
});
