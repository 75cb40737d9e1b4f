import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { randomUUID } from "node:crypto";
import { mkdirSync, mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { FileEngineName } from "../../src/engine/compression.ts";
import type { EngineEvents, EngineWarning } from "../../src/engine/engine.ts";
import type { DurableFiles } from "../../src/files/durable-files.ts";
import { createNodeDurableFiles } from "../../src/files/node-durable-files.ts";
import { noRules } from "../../src/source/source-rules.ts";
import { performRestore } from "../../src/thread/perform-restore.ts";
import { performWrite } from "../../src/thread/perform-write.ts";
import { type TreeProgram, treeSteps, withTimesOf } from "./trees.ts";

const nodeFiles = createNodeDurableFiles();

/** Without syncs, which wait for everything that other programs write, and change nothing that a test sees. */
export const unsyncedFiles: DurableFiles = {
  ...nodeFiles,
  create: async (path) => ({ ...(await nodeFiles.create(path)), sync: async () => {} }),
  syncFile: async () => {},
  syncFolder: async () => {},
  syncTree: async () => {},
};
const never = new AbortController().signal;

/** The smallest time that an engine keeps. */
const timeUnitNs: Readonly<Record<FileEngineName, bigint>> = { tar: 1n, wim: 100n };
const compressions = {
  tar: [{ method: "ZSTD", level: 1 }, { method: "NONE" }],
  wim: [{ method: "XPRESS", level: 50 }, { method: "LZX", level: 20 }, { method: "NONE" }],
} as const;

/** Collects what an engine says. */
export function recordEvents(more: Partial<EngineEvents> = {}): EngineEvents & { readonly warnings: EngineWarning[] } {
  const warnings: EngineWarning[] = [];
  return {
    warnings,
    onPhase() {},
    onTotal() {},
    onBytes() {},
    onReached() {},
    onWarning: (warning) => void warnings.push(warning),
    ...more,
  };
}

/** Backs up a random tree, restores it, and compares it by the walker; then once more by the engine's own program. */
export async function checkThereAndBack(
  engine: FileEngineName,
  seed: number,
  parent: string = tmpdir(),
  trees: Pick<TreeProgram, "build" | "walk"> = treeSteps,
): Promise<void> {
  const folder = mkdtempSync(join(parent, "tercel-trees-"));
  const [source, archive, manifest, restored, opened] = ["source", "archive", "manifest", "restored", "opened"].map(
    (name) => join(folder, name),
  ) as [string, string, string, string, string];
  mkdirSync(source);
  await trees.build(seed, source, engine === "wim" ? "utf8" : "any");
  const walk = async (root: string) => withTimesOf(await trees.walk(root), timeUnitNs[engine]);
  const expected = await walk(source);
  const options = compressions[engine];
  const events = recordEvents();
  await performWrite(
    unsyncedFiles,
    {
      engine,
      task: {
        source,
        partPath: archive,
        compression: options[seed % options.length] as (typeof options)[number],
        name: "tree",
        origin: { uuid: randomUUID(), source, createTime: new Date(0).toISOString(), description: `seed ${seed}` },
        leaveOut: [],
        rules: noRules,
        scratchPath: join(folder, "scratch"),
        previous: undefined,
        base: undefined,
      },
      manifestDraftPath: manifest,
      header: { uuid: "0", engine, source, createTime: new Date(0).toISOString() },
    },
    events,
    never,
  );
  const task = { archivePath: archive, image: 1, folder: restored, paths: [], keepOwner: true };
  await performRestore(
    unsyncedFiles,
    { engine, task, manifestPath: manifest, verify: true, merge: undefined },
    events,
    never,
  );
  assert.deepEqual(events.warnings, []);
  assert.deepEqual(await walk(restored), expected, "restored by WimGuard");
  openWithout(engine, archive, opened);
  assert.deepEqual(await walk(opened), expected, "opened without WimGuard");
}

function openWithout(engine: FileEngineName, archive: string, folder: string): void {
  mkdirSync(folder);
  if (engine === "tar") {
    const options = ["--extract", "--xattrs", "--xattrs-include=*", "--acls", "--same-permissions", "--numeric-owner"];
    execFileSync("tar", [...options, `--file=${archive}`, `--directory=${folder}`], { stdio: "ignore" });
  } else {
    execFileSync("wimlib-imagex", ["apply", archive, "1", folder, "--unix-data"], { stdio: "ignore" });
  }
}
