import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { WorkSlots } from "./work-slots.ts";

/** Work that the test ends. */
function startWork(slots: WorkSlots, count: number) {
  const begun: number[] = [];
  const ends: (() => void)[] = [];
  const results = Array.from({ length: count }, (_, at) =>
    slots.run(async () => {
      begun.push(at);
      await new Promise<void>((resolve) => {
        ends[at] = resolve;
      });
      if (at % 2 === 1) throw new Error(`failed ${at}`);
      return at;
    }),
  );
  return { begun, ends, results: Promise.allSettled(results) };
}

const nextTurn = () => new Promise((resolve) => setImmediate(resolve));

describe("WorkSlots", () => {
  it("limits concurrent work and starts the rest in order, even after a failure", async () => {
    const { begun, ends, results } = startWork(new WorkSlots(3), 10);
    for (let ended = 0; ended < 10; ended++) {
      await nextTurn();
      assert.deepEqual(
        begun,
        Array.from({ length: Math.min(10, ended + 3) }, (_, at) => at),
      );
      (ends[ended] as () => void)();
    }
    assert.deepEqual(
      (await results).map(({ status }) => status),
      Array.from({ length: 10 }, (_, at) => (at % 2 === 0 ? "fulfilled" : "rejected")),
    );
  });

  it("frees all slots when all work has ended", async () => {
    const slots = new WorkSlots(2);
    for (let time = 0; time < 3; time++) {
      const { begun, ends, results } = startWork(slots, 2);
      await nextTurn();
      assert.deepEqual(begun, [0, 1]);
      for (const end of ends) end();
      await results;
    }
  });
});
