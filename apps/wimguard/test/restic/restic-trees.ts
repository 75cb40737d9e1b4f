import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { mkdirSync, mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { RepositorySnapshot } from "../../src/engine/engine.ts";
import { repositoryPrefix } from "../../src/engine/restic/repository/repository-location.ts";
import { noRules } from "../../src/source/source-rules.ts";
import { performRestore } from "../../src/thread/perform-restore.ts";
import { performStore } from "../../src/thread/perform-store.ts";
import { recordEvents, unsyncedFiles } from "../trees/there-and-back.ts";
import { treeSteps } from "../trees/trees.ts";
import { restic, writeSecret } from "./restic-tools.ts";

const methods = ["AUTO", "OFF", "MAX"];
const never = new AbortController().signal;

/** Stores a random tree in a repository, restores it, and compares it by the walker; then once more by restic alone. */
export async function checkStoredAndBack(seed: number, parent: string = tmpdir(), trees = treeSteps): Promise<void> {
  const folder = mkdtempSync(join(parent, "tercel-trees-"));
  const [source, place, manifest, restored, opened] = ["source", "repository", "manifest", "restored", "opened"].map(
    (name) => join(folder, name),
  ) as [string, string, string, string, string];
  mkdirSync(source);
  await trees.build(seed, source, "any");
  const expected = await trees.walk(source);
  const repository = repositoryPrefix + place;
  const secretRef = writeSecret(folder);
  const events = recordEvents();
  const createTime = new Date(0).toISOString();
  const task = {
    source,
    repository,
    secretRef,
    partPath: join(folder, "part"),
    isKnown: false,
    compression: { method: methods[seed % methods.length] ?? "AUTO" },
    origin: { uuid: randomUUID(), source, createTime, description: `seed ${seed}` },
    leaveOut: [],
    rules: noRules,
    scratchPath: join(folder, "scratch"),
    previousManifestPath: undefined,
  };
  const header = { uuid: "0", engine: "restic", source, createTime } as const;
  const job = { engine: "restic", task, manifestDraftPath: manifest, header } as const;
  const { sha256: id, root = "" } = await performStore(unsyncedFiles, job, events, never);
  const snapshot: RepositorySnapshot = { id, root, secretRef };
  const reading = { archivePath: repository, image: 1, snapshot, folder: restored, paths: [], keepOwner: true };
  const result = await performRestore(
    unsyncedFiles,
    { engine: "restic", task: reading, manifestPath: manifest, verify: true, merge: undefined },
    events,
    never,
  );
  assert.deepEqual(events.warnings, []);
  assert.deepEqual(await trees.walk(result.folder), expected, "restored by WimGuard");
  restic(repository, "restore", id, "--target", opened);
  assert.deepEqual(await trees.walk(join(opened, source)), expected, "restored without WimGuard");
}
