// Long: it writes archives of many megabytes.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdirSync, readFileSync, renameSync, statSync, symlinkSync, unlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it, type TestContext } from "node:test";
import type { PreviousArchive } from "../../src/engine/engine.ts";
import { engines } from "../../src/engine/engines.ts";
import { verifyTar } from "../../src/engine/tar/verify-tar.ts";
import { findFile } from "../../src/manifest/find-file.ts";
import { readFrames } from "../../src/manifest/last-entries.ts";
import { recordEvents } from "../trees/there-and-back.ts";
import { contentsOfTree, failsWith, never, useEngineBench } from "./engine-bench.ts";

const bench = useEngineBench();
const { write, restore, entries } = bench;

describe("the tar engine after a backup of the same source", () => {
  /** Two frames of files that do not compress, and what comes after them. */
  const fillFrames = (): void => {
    mkdirSync(join(bench.source, "in"));
    for (let at = 0; at < 10; at++) {
      writeFileSync(join(bench.source, at < 6 ? `f${at}` : `in/f${at}`), randomBytes(1_800_000));
    }
    symlinkSync("f0", join(bench.source, "link"));
    writeFileSync(join(bench.source, "z"), "last");
  };
  /** Writes an archive of the source, which seems to have been left alone for a while, and keeps it as the one before. */
  const writeFirst = async (test: TestContext): Promise<PreviousArchive> => {
    test.mock.timers.enable({ apis: ["Date"], now: Date.now() + 60_000 });
    const { sha256 } = await write("tar", recordEvents());
    const previous = {
      archivePath: join(bench.folder, "first"),
      manifestPath: join(bench.folder, "first-manifest"),
      sha256,
    };
    renameSync(join(bench.folder, "archive"), previous.archivePath);
    renameSync(join(bench.folder, "manifest"), previous.manifestPath);
    return previous;
  };
  it("copies the frames whose files have not changed, and restores everything", async (test) => {
    fillFrames();
    const previous = await writeFirst(test);
    const first = await readFrames(previous.manifestPath);
    assert.equal(first.length, 3);
    writeFileSync(join(bench.source, "z"), "changed");
    unlinkSync(join(bench.source, "link"));
    const events = recordEvents();
    const result = await write("tar", events, { previous });
    assert.deepEqual(events.warnings, []);
    assert.equal(result.sourceBytes, 18_000_007);
    const [copied] = await readFrames(join(bench.folder, "manifest"));
    // The folder of the source has changed, so its frame is read again; the next one follows from where it was.
    const [start = 0, end = 0] = [first[1]?.fileOffset, first[2]?.fileOffset];
    assert.deepEqual([copied?.fileOffset, copied?.bytes], [0, first[1]?.bytes]);
    const old = readFileSync(previous.archivePath).subarray(start, end);
    assert.ok(
      readFileSync(join(bench.folder, "archive"))
        .subarray(0, end - start)
        .equals(old),
    );
    // Only what is new is decompressed to verify it; the rest was, and its bytes are compared.
    const archive = join(bench.folder, "archive");
    const newFrom = { offset: copied?.bytes ?? 0, fileOffset: end - start };
    const bytes = readFileSync(archive);
    for (const [at, isFound] of [
      [newFrom.fileOffset - 1000, false],
      [newFrom.fileOffset + 1000, true],
    ] as const) {
      const flipped = join(bench.folder, "flipped");
      writeFileSync(flipped, Buffer.from(bytes).fill((bytes[at] as number) ^ 1, at, at + 1));
      const verified = verifyTar(flipped, newFrom, recordEvents(), never);
      if (isFound) await failsWith(verified, "ARCHIVE_DAMAGED");
      else await verified;
      await failsWith(engines.tar.verify(flipped, recordEvents(), never), "ARCHIVE_DAMAGED");
    }
    await restore("tar");
    assert.deepEqual(contentsOfTree(join(bench.folder, "restored")), contentsOfTree(bench.source));
    // Its frames lead to its files as those of the first one did.
    const file = await findFile(join(bench.folder, "manifest"), Buffer.from("in/f9"));
    const parts: Buffer[] = [];
    await engines.tar.readFile(
      { archivePath: join(bench.folder, "archive"), image: 1 },
      file,
      async (bytes) => void parts.push(bytes),
      never,
    );
    assert.ok(Buffer.concat(parts).equals(readFileSync(join(bench.source, "in/f9"))));
  });

  it("reads a file again that was replaced by one of the same size and time", async (test) => {
    fillFrames();
    const previous = await writeFirst(test);
    const path = join(bench.source, "f0");
    const { mtimeNs } = statSync(path, { bigint: true });
    writeFileSync(path, Buffer.alloc(1_800_000, 1));
    spawnSync("touch", [
      "-d",
      `@${mtimeNs / 1_000_000_000n}.${String(mtimeNs % 1_000_000_000n).padStart(9, "0")}`,
      path,
    ]);
    assert.equal(statSync(path, { bigint: true }).mtimeNs, mtimeNs);
    await write("tar", recordEvents(), { previous });
    await restore("tar");
    assert.deepEqual(contentsOfTree(join(bench.folder, "restored")), contentsOfTree(bench.source));
  });

  it("takes nothing from files that may still be changing", async (test) => {
    test.mock.timers.enable({ apis: ["Date"], now: Date.now() });
    fillFrames();
    await write("tar", recordEvents());
    assert.ok((await entries()).every(({ state }) => state === undefined));
  });

  for (const damaged of ["archivePath", "manifestPath"] as const) {
    it(`takes nothing from an archive that is damaged, and says so: ${damaged}`, async (test) => {
      fillFrames();
      const previous = await writeFirst(test);
      const bytes = readFileSync(previous[damaged]);
      bytes[200] = (bytes[200] as number) ^ 1;
      writeFileSync(previous[damaged], bytes);
      const events = recordEvents();
      await write("tar", events, { previous });
      assert.deepEqual(
        events.warnings.map(({ reason, path }) => [reason, path.toString()]),
        [["PREVIOUS_DAMAGED", previous.archivePath]],
      );
      await restore("tar");
      assert.deepEqual(contentsOfTree(join(bench.folder, "restored")), contentsOfTree(bench.source));
    });
  }
});
