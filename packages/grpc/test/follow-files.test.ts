import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, realpathSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, type TestContext, test } from "node:test";
import { createFakeClock } from "@tercel/grpc/testing";
import { recordingLog } from "@tercel/test-support/calls";
import { followFiles } from "../src/files/follow-files.ts";

function createFolder(t: TestContext): string {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), "tercel-follow-")));
  t.after(() => rmSync(folder, { recursive: true }));
  return folder;
}

/** Follows by signs that the test gives, on a clock that it moves. */
function followByHand(t: TestContext, files: string[]) {
  const clock = createFakeClock();
  const signs = new Map<string, () => void>();
  let looks = 0;
  const followed = followFiles({
    files: () => files,
    onLook: () => looks++,
    settleMs: 300,
    pollMs: 1000,
    noun: "files",
    log: recordingLog().log,
    clock,
    watchFolder(folder, onChange) {
      assert.equal(signs.has(folder), false, "watched twice");
      signs.set(folder, onChange);
      return () => signs.delete(folder);
    },
  });
  t.after(() => followed.close());
  return {
    clock,
    followed,
    folders: () => [...signs.keys()].sort(),
    sign: (folder: string) => signs.get(folder)?.(),
    looks: () => looks,
  };
}

describe("followFiles", () => {
  test("looks once when signs have settled, and regularly without one", async (t) => {
    const folder = createFolder(t);
    const { clock, sign, looks } = followByHand(t, [join(folder, "a")]);
    sign(folder);
    await clock.advance(299);
    sign(folder);
    assert.equal(looks(), 0);
    await clock.advance(1);
    assert.equal(looks(), 1);
    await clock.advance(700);
    assert.equal(looks(), 2);
  });

  test("watches each folder once, and the nearest that exists for files in one that does not", (t) => {
    const folder = createFolder(t);
    const { folders } = followByHand(t, [join(folder, "a"), join(folder, "b"), join(folder, "none/deeper/c")]);
    assert.deepEqual(folders(), [folder]);
  });

  test("watches what symlinks lead to, and what they lead to after a look", async (t) => {
    const folder = createFolder(t);
    for (const name of ["one", "two"]) {
      mkdirSync(join(folder, name));
      writeFileSync(join(folder, name, "a"), name);
    }
    symlinkSync("one/a", join(folder, "a"));
    const { clock, folders, sign } = followByHand(t, [join(folder, "a")]);
    assert.deepEqual(folders(), [folder, join(folder, "one")]);
    symlinkSync("two/a", join(folder, "next"));
    renameSync(join(folder, "next"), join(folder, "a"));
    sign(join(folder, "one"));
    await clock.advance(300);
    assert.deepEqual(folders(), [folder, join(folder, "two")]);
  });

  test("asks for the files again when it is told to", (t) => {
    const [first, second] = [createFolder(t), createFolder(t)];
    const files = [join(first, "a")];
    const { folders, followed } = followByHand(t, files);
    files[0] = join(second, "a");
    followed.refresh();
    assert.deepEqual(folders(), [second]);
  });

  test("leaves no watch and no timer after close, and refreshes nothing", async (t) => {
    const folder = createFolder(t);
    const { clock, folders, followed, sign, looks } = followByHand(t, [join(folder, "a")]);
    sign(folder);
    followed.close();
    followed.refresh();
    await clock.advance(10_000);
    assert.deepEqual([folders(), clock.pendingTimers, looks()], [[], 0, 0]);
  });
});
