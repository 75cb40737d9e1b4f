// Long: it starts two processes, and each of them checks a thousand histories.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { startItemRunner } from "./item-runner.ts";
import type { Proof } from "./proof.ts";
import { retention } from "./proofs/retention.ts";

describe("items of a proof", () => {
  it("are checked in processes, as many at once as there are jobs", async (test) => {
    const runner = await startItemRunner("retention", retention, 2);
    test.after(() => runner.close());
    assert.deepEqual([runner.jobs, runner.limit], [2, Number.POSITIVE_INFINITY]);
    const checked = [runner.check(7, 0), runner.check(8, 1)];
    await assert.rejects(runner.check(9, 2), /more than 2 items/);
    assert.deepEqual(await Promise.all(checked), [{}, {}]);
    assert.deepEqual(await runner.check(9, 2), {});
  });

  it("are checked in this process where there is one job, or one recording", async () => {
    let closed = 0;
    const proof: Proof = {
      items: "items",
      count: 3,
      verdict: "all of them",
      inOneProcess: true,
      start: () => ({
        limit: 3,
        check: (seed, index) => (index === 1 ? { found: seed } : undefined),
        close: () => void closed++,
      }),
    };
    const runner = await startItemRunner("none of the proofs", proof, 4);
    assert.deepEqual([runner.jobs, runner.limit], [1, 3]);
    assert.deepEqual([await runner.check(7, 0), await runner.check(8, 1)], [{}, { found: 8 }]);
    await runner.close();
    assert.equal(closed, 1);
  });
});
