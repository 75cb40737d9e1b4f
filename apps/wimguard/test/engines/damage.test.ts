// Long: it reads an archive a hundred times.
import assert from "node:assert/strict";
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { engines } from "../../src/engine/engines.ts";
import { FailureError } from "../../src/failure/failure.ts";
import { createRandom } from "../crash/crash-points.ts";
import { createFlipSite } from "../flips.ts";
import { recordEvents } from "../trees/there-and-back.ts";
import { contentsOf, failsWith, never, skipOf, useEngineBench } from "./engine-bench.ts";

const bench = useEngineBench();
const { write, restore } = bench;

for (const engine of ["tar", "wim"] as const) {
  describe(`the ${engine} engine`, { skip: skipOf[engine] }, () => {
    it("finds every flipped bit of an archive when it is checked", async (test) => {
      const site = await createFlipSite(engine);
      test.after(() => site.close());
      const first = Math.floor(Math.random() * 1_000_000);
      for (let seed = first; seed < first + 25; seed++) await site.check(seed);
    });

    it("finds any flipped bit of an archive when it restores it", async () => {
      for (let at = 0; at < 20; at++) writeFileSync(join(bench.source, `f${at}`), `content ${at}\n`.repeat(at * 50));
      await write(engine, recordEvents());
      const whole = readFileSync(join(bench.folder, "archive"));
      const expected = JSON.stringify(contentsOf(bench.source));
      const random = createRandom(Math.floor(Math.random() * 1_000_000));
      for (let flip = 0; flip < 25; flip++) {
        const bytes = Buffer.from(whole);
        const bit = Math.floor(random() * bytes.length * 8);
        bytes[bit >> 3] = (bytes[bit >> 3] as number) ^ (1 << (bit & 7));
        writeFileSync(join(bench.folder, "archive"), bytes);
        const isFound = await restore(engine).then(
          () => false,
          (error) => error instanceof FailureError,
        );
        // Some bits mean nothing, such as a timestamp of the image; then everything has to be there.
        if (!isFound) assert.equal(JSON.stringify(contentsOf(join(bench.folder, "restored"))), expected, `bit ${bit}`);
        rmSync(join(bench.folder, "restored"), { recursive: true, force: true });
      }
    });
  });
}

describe("the tar engine", () => {
  it("names the first file of an archive that is not the one that was written", async () => {
    writeFileSync(join(bench.source, "a"), "a");
    writeFileSync(join(bench.source, "b"), "b");
    await write("tar", recordEvents());
    rmSync(join(bench.folder, "archive"));
    rmSync(join(bench.folder, "manifest"));
    writeFileSync(join(bench.source, "b"), "B");
    await write("tar", recordEvents());
    const replaced = readFileSync(join(bench.folder, "archive"));
    rmSync(join(bench.folder, "archive"));
    rmSync(join(bench.folder, "manifest"));
    writeFileSync(join(bench.source, "b"), "b");
    await write("tar", recordEvents());
    writeFileSync(join(bench.folder, "archive"), replaced);
    await failsWith(restore("tar"), "ARCHIVE_DAMAGED", /"b": its content is not what was backed up/);
  });

  it("reports an archive that is cut off", async () => {
    writeFileSync(join(bench.source, "a"), Buffer.alloc(100_000, 1));
    await write("tar", recordEvents());
    const whole = readFileSync(join(bench.folder, "archive"));
    writeFileSync(join(bench.folder, "archive"), whole.subarray(0, whole.length - 10));
    await failsWith(engines.tar.verify(join(bench.folder, "archive"), recordEvents(), never), "ARCHIVE_DAMAGED");
  });
});
