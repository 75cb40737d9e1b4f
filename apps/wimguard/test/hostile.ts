import assert from "node:assert/strict";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { FailureError } from "../src/failure/failure.ts";
import { performIndex } from "../src/thread/perform-index.ts";
import { performRestore } from "../src/thread/perform-restore.ts";
import { recordEvents, unsyncedFiles } from "./trees/there-and-back.ts";
import { startSwapping, type TreeProgram, treeSteps } from "./trees/trees.ts";
import { writeArchive } from "./write-archive.ts";

const never = new AbortController().signal;
/** Where members with an absolute path lead. */
const outsidePath = "/tmp/tercel-evil";

/**
 * Restores an archive whose members try to leave the folder, and imports it: nothing outside changes, and each ends well or with a failure.
 * Returns whether it was refused.
 */
export async function checkHostileArchive(
  seed: number,
  trees: Pick<TreeProgram, "writeHostile"> = treeSteps,
): Promise<boolean> {
  const folder = mkdtempSync(join(tmpdir(), "tercel-hostile-"));
  try {
    const [archivePath, inner] = [join(folder, "hostile.tar"), join(folder, "inner")];
    mkdirSync(inner);
    writeFileSync(join(inner, "evil"), "mine");
    writeFileSync(join(folder, "evil"), "mine");
    await trees.writeHostile(seed, archivePath);
    const task = { archivePath, image: 1, folder: join(inner, "restored"), paths: [], keepOwner: true };
    const restoring = performRestore(
      unsyncedFiles,
      { engine: "tar", task, manifestPath: undefined, verify: false, merge: undefined },
      recordEvents(),
      never,
    );
    const isRestored = (await problemOf(restoring)) === undefined;
    for (const path of [join(folder, "evil"), join(inner, "evil")]) assert.equal(readFileSync(path, "utf8"), "mine");
    assert.deepEqual(readdirSync(folder).sort(), ["evil", "hostile.tar", "inner"]);
    assert.deepEqual(readdirSync(inner).sort(), ["evil", "restored"]);
    assert.ok(!existsSync(outsidePath), `${outsidePath} was written`);

    const header = { uuid: "0", engine: "tar", source: "", createTime: new Date(0).toISOString() } as const;
    const manifestDraftPath = join(folder, "manifest");
    const indexing = performIndex(
      unsyncedFiles,
      { engine: "tar", archivePath, image: 1, manifestDraftPath, header },
      recordEvents(),
      never,
    );
    const problem = await problemOf(indexing);
    assert.ok(problem !== "MEMBER_UNSAFE" || !isRestored, "an import refuses what a restore extracts");
    return !isRestored;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The reason of the failure that work ends with; undefined when it ends well. */
async function problemOf(work: Promise<unknown>): Promise<string | undefined> {
  try {
    await work;
    return undefined;
  } catch (error) {
    assert.ok(error instanceof FailureError, `it ended with ${String(error)}`);
    return error.failure.reason;
  }
}

/** Restores into a folder in which a folder and a link to elsewhere take turns. */
export interface SwapSite {
  /** Restores once, and asserts that nothing was written, replaced or removed through the link. */
  check(): Promise<void>;
  close(): Promise<void>;
}

export async function createSwapSite(): Promise<SwapSite> {
  const folder = mkdtempSync(join(tmpdir(), "tercel-swaps-"));
  const [source, target, outside] = ["source", "target", "outside"].map((name) => join(folder, name)) as [
    string,
    string,
    string,
  ];
  for (const path of [join(source, "in", "deep"), join(target, "in", "deep"), join(outside, "deep")])
    mkdirSync(path, { recursive: true });
  for (let at = 0; at < 50; at++) {
    writeFileSync(join(source, "in", `f${at}`), `content ${at}`);
    writeFileSync(join(source, "in", "deep", `f${at}`), `content ${at}`);
  }
  writeFileSync(join(outside, "mine"), "mine");
  const { archivePath, manifestPath } = await writeArchive("tar", source, folder, { method: "NONE" });
  const stopSwapping = startSwapping(join(target, "in"), outside);
  let runs = 0;
  return {
    async check() {
      const staging = join(target, `.staging-${runs++}`);
      const task = { archivePath, image: 1, folder: staging, paths: [], keepOwner: true };
      const merge = { conflict: "overwrite", deleteExtra: runs % 2 === 0, target } as const;
      // It may end well, or fail because something changed under it; both are right.
      await performRestore(
        unsyncedFiles,
        { engine: "tar", task, manifestPath, verify: false, merge },
        recordEvents(),
        never,
      ).catch(() => {});
      rmSync(staging, { recursive: true, force: true });
      assert.deepEqual((readdirSync(outside, { recursive: true }) as string[]).sort(), ["deep", "mine"]);
      assert.equal(readFileSync(join(outside, "mine"), "utf8"), "mine");
    },
    async close() {
      await stopSwapping();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
