// Long: it restores random trees by other programs.
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { checkThereAndBack } from "../trees/there-and-back.ts";
import { walkTree, withoutPython } from "../trees/trees.ts";
import { skipOf, useEngineBench } from "./engine-bench.ts";

const bench = useEngineBench();

describe("random trees", { skip: withoutPython }, () => {
  for (const [engine, count] of [
    ["tar", 4],
    ["wim", 2],
  ] as const) {
    it(`come back as they were, by ${engine} and by its own program`, { skip: skipOf[engine] }, async () => {
      const first = Math.floor(Math.random() * 1_000_000);
      for (let seed = first; seed < first + count; seed++) {
        await checkThereAndBack(engine, seed, bench.folder).catch((error) => {
          throw new Error(`seed ${seed}`, { cause: error });
        });
      }
    });
  }
});

describe("the walker of the tests", { skip: withoutPython }, () => {
  it("sees a difference", () => {
    writeFileSync(join(bench.source, "a"), "a");
    const before = walkTree(bench.source);
    writeFileSync(join(bench.source, "a"), "b");
    assert.notDeepEqual(walkTree(bench.source), before);
  });
});
