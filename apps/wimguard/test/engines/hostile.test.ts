// Long: it restores archives while their folder is swapped.
import assert from "node:assert/strict";
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { checkHostileArchive, createSwapSite } from "../hostile.ts";
import { withoutPython, writeHostileArchive } from "../trees/trees.ts";
import { failsWith, useEngineBench } from "./engine-bench.ts";

const bench = useEngineBench();
const { restore } = bench;

describe("the tar engine", () => {
  for (const kind of [
    "parent",
    "inner-parent",
    "absolute",
    "through-link",
    "over-link",
    "hard-link",
    "hard-link-through-link",
    "pax-path",
  ]) {
    it(`refuses an archive whose member leaves the folder: ${kind}`, { skip: withoutPython }, async () => {
      writeHostileArchive(kind, join(bench.folder, "archive"));
      await failsWith(
        restore("tar", [], false),
        "MEMBER_UNSAFE",
        /unsafe member ".+" in the archive: .+; nothing was restored/,
      );
      assert.deepEqual(readdirSync(bench.folder).sort(), ["archive", "restored", "source"]);
      assert.ok(!existsSync("/tmp/tercel-evil"));
    });
  }

  it("writes nothing outside of the folder for archives of random members", { skip: withoutPython }, async () => {
    const first = Math.floor(Math.random() * 1_000_000);
    for (let seed = first; seed < first + 20; seed++) {
      await checkHostileArchive(seed).catch((error) => {
        throw new Error(`seed ${seed}`, { cause: error });
      });
    }
  });

  it("writes nothing through a link that takes a folder's place during a restore", {
    skip: withoutPython,
  }, async (test) => {
    const site = await createSwapSite();
    test.after(() => site.close());
    for (let at = 0; at < 5; at++) await site.check();
  });
});
