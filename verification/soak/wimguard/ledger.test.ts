import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, it } from "node:test";
import { Ledger } from "./ledger.ts";

describe("a ledger", () => {
  let folder: string;
  let path: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "tercel-ledger-"));
    path = join(folder, "in", "trees.json");
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  it("continues where the last run was stopped", () => {
    const first = Ledger.open(path, { seed: 7, isFresh: false });
    first.add(0, { kills: 10 });
    first.fail(1);
    first.add(2, { kills: 5 });
    first.state.elapsedMs = 10;
    first.save();
    const state = { seed: 7, done: 3, failed: [8], elapsedMs: 10, counts: { kills: 15 } };
    assert.deepEqual(Ledger.open(path, { isFresh: false }).state, state);
    assert.deepEqual(Ledger.open(path, { seed: 7, isFresh: false }).state, state);
  });

  it("counts an item once all items before it were checked, and those that were not are checked again", () => {
    const first = Ledger.open(path, { seed: 7, isFresh: false });
    first.add(2, { kills: 1 });
    first.add(0, { kills: 2 });
    first.fail(3);
    first.save();
    assert.deepEqual([first.state.done, first.state.counts], [1, { kills: 2 }]);
    const next = Ledger.open(path, { isFresh: false });
    assert.deepEqual([next.state.done, next.state.failed], [1, [10]]);
    for (const at of [1, 2]) next.add(at, { kills: 4 });
    next.fail(3);
    assert.deepEqual([next.state.done, next.state.failed, next.state.counts], [4, [10], { kills: 10 }]);
  });

  it("begins with another seed, or when it is told to", () => {
    const first = Ledger.open(path, { seed: 7, isFresh: false });
    first.state.done = 3;
    first.save();
    assert.equal(Ledger.open(path, { seed: 8, isFresh: false }).state.done, 0);
    first.save();
    const { seed, done } = Ledger.open(path, { isFresh: true }).state;
    assert.deepEqual([Number.isSafeInteger(seed) && seed > 0, done], [true, 0]);
  });

  it("begins when its file is not whole", () => {
    Ledger.open(path, { seed: 7, isFresh: false }).save();
    writeFileSync(path, '{"seed":7');
    assert.equal(Ledger.open(path, { seed: 9, isFresh: false }).state.seed, 9);
  });
});
