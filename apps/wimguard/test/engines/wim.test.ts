// Long: it writes and damages archives by another program.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { readFileSync, renameSync, unlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { engines } from "../../src/engine/engines.ts";
import { listImage } from "../../src/engine/wim/list-image.ts";
import { createAddedFiles, haveTheirDigests, verifyAppended } from "../../src/engine/wim/verify-appended.ts";
import type { ImageEntry } from "../../src/engine/wim/wim-image.ts";
import { recordEvents } from "../trees/there-and-back.ts";
import { failsWith, never, useEngineBench, withoutWim } from "./engine-bench.ts";

const bench = useEngineBench();
const { write, restore, restored, entries, useProgram } = bench;

describe("the wim engine", { skip: withoutWim }, () => {
  it("refuses a name that is not UTF-8 and says what to use", async () => {
    writeFileSync(Buffer.concat([Buffer.from(`${bench.source}/bad`), Buffer.from([0xff])]), "");
    await failsWith(write("wim", recordEvents()), "NAME_UNSUPPORTED", /name is not UTF-8: use \.tar\.zst/);
  });

  it("decompresses what an image has added to a file, and finds what has changed in it and before it", async () => {
    for (const name of ["b", "d"]) writeFileSync(join(bench.source, name), randomBytes(300_000));
    await write("wim", recordEvents());
    const base = { archivePath: join(bench.folder, "first"), image: 1 };
    renameSync(join(bench.folder, "archive"), base.archivePath);
    unlinkSync(join(bench.folder, "manifest"));
    writeFileSync(join(bench.source, "a"), "");
    for (const name of ["c", "e"]) writeFileSync(join(bench.source, name), Buffer.alloc(200_000, name));
    await write("wim", recordEvents(), { base });
    const image = { archivePath: join(bench.folder, "archive"), image: 2 };
    const added = await createAddedFiles(base.archivePath);
    const listed = new Map<string, ImageEntry>();
    const onListed = (entry: ImageEntry): void => {
      listed.set(entry.path.toString(), entry);
      added?.take(entry);
    };
    const unknown = { mtimeNsOf: () => undefined, find: () => undefined };
    await listImage(image, unknown, { addEntry: async () => {}, onListed }, never);
    const files = added?.files ?? [];
    assert.deepEqual(
      files.map(({ path }) => path.toString()),
      ["c", "e"],
    );
    await verifyAppended(image, files, recordEvents(), never);
    assert.equal(await haveTheirDigests(image, files, never), true);
    assert.equal(await haveTheirDigests(image, [...files].reverse(), never), true);
    const [first, second] = files as [ImageEntry, ImageEntry];
    for (const wrong of [
      [first, { ...second, digest: first.digest }],
      [{ ...first, size: first.size - 1 }, second],
      [first, { ...second, size: second.size + 1 }],
    ]) {
      assert.equal(await haveTheirDigests(image, wrong, never), false);
    }
    const bytes = readFileSync(image.archivePath);
    for (const name of ["b", "d", "c", "e"]) {
      const flipped = { ...image, archivePath: join(bench.folder, "flipped") };
      const at = (listed.get(name)?.storedAt ?? 0) + 40;
      writeFileSync(flipped.archivePath, Buffer.from(bytes).fill((bytes[at] as number) ^ 1, at, at + 1));
      await failsWith(verifyAppended(flipped, files, recordEvents(), never), "ARCHIVE_DAMAGED");
    }
  });

  it("checks files by one start of its program for each thousand, and names one that is damaged", async (test) => {
    for (let at = 0; at <= 1_000; at++) writeFileSync(join(bench.source, `f${at}`), at % 10 === 0 ? "" : `${at}`);
    const content = randomBytes(100_000);
    writeFileSync(join(bench.source, "large"), content);
    await write("wim", recordEvents());
    const archive = { archivePath: join(bench.folder, "archive"), image: 1 };
    const files = (await entries()).filter(({ kind }) => kind === "file").map((entry) => ({ entry, frame: undefined }));
    assert.equal(files.length, 1_002);
    const starts = join(bench.folder, "starts");
    useProgram(test, "wimlib-imagex", (program) => `echo "$1" >> '${starts}'\nexec '${program}' "$@"`);
    await engines.wim.verifyFiles(archive, files, recordEvents(), never);
    assert.equal(readFileSync(starts, "utf8"), "extract\nextract\n");
    const [first, second] = files.filter(({ entry }) => entry.size === 3);
    const swapped = files.map((file) =>
      file === second ? { ...file, entry: { ...file.entry, digest: first?.entry.digest ?? "" } } : file,
    );
    const name = second?.entry.path.toString();
    await failsWith(
      engines.wim.verifyFiles(archive, swapped, recordEvents(), never),
      "ARCHIVE_DAMAGED",
      new RegExp(`"${name}" is not what was backed up`),
    );
    const bytes = readFileSync(archive.archivePath);
    const at = bytes.indexOf(content.subarray(0, 32));
    assert.ok(at > 0);
    writeFileSync(archive.archivePath, Buffer.from(bytes).fill((bytes[at] as number) ^ 1, at, at + 1));
    await failsWith(engines.wim.verifyFiles(archive, files, recordEvents(), never), "ARCHIVE_DAMAGED", /large/);
  });

  it("does not know what is new in a file without a table of checksums", async () => {
    writeFileSync(join(bench.source, "a"), "text");
    const path = join(bench.folder, "plain.wim");
    spawnSync("wimlib-imagex", ["capture", bench.source, path, "1"]);
    assert.equal(await createAddedFiles(path), undefined);
  });

  it("keeps files that its built-in configuration would drop", async () => {
    for (const name of ["hiberfil.sys", "pagefile.sys"]) writeFileSync(join(bench.source, name), "kept");
    await write("wim", recordEvents());
    await restore("wim");
    assert.deepEqual(restored(), ["hiberfil.sys", "pagefile.sys"]);
  });

  it("refuses a path to leave out that its exclusion list cannot express", async () => {
    const path = join(bench.source, "a*");
    writeFileSync(path, "");
    await failsWith(write("wim", recordEvents(), { leaveOut: [path] }), "NAME_UNSUPPORTED", /"a\*" must be left out/);
  });
});
