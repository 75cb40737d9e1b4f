import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import type { StoredBackup } from "../../src/catalog/backup-store.ts";
import { openCatalog } from "../../src/catalog/open-catalog.ts";
import { createRestoreStore } from "../../src/catalog/restore-store.ts";
import { createRowWriter } from "../../src/catalog/row-writer.ts";
import { createNodeDurableFiles } from "../../src/files/node-durable-files.ts";
import { recoverRestores, runRestore } from "../../src/restore/run-restore.ts";
import { createDirectRunner } from "../../src/thread/direct-runner.ts";
import { unsyncedFiles } from "../trees/there-and-back.ts";
import { createCrashSite } from "./crash-site.ts";
import { RecordingFiles } from "./recording-files.ts";

/** A restore whose daemon ends at one of its acts. */
export interface RestoreStop {
  /** Into a new folder, or over what a folder has. */
  readonly kind: "new" | "merge";
  readonly act: number;
}

const log = { debug() {}, info() {}, warn() {}, error() {} };
const never = new AbortController().signal;
const older = "older";

/** Every act of both kinds of restores. */
export async function listRestoreStops(): Promise<RestoreStop[]> {
  const stops: RestoreStop[] = [];
  for (const kind of ["new", "merge"] as const) {
    const acts = await restoreUntil({ kind, act: Number.POSITIVE_INFINITY });
    for (let act = 0; act <= acts; act++) stops.push({ kind, act });
  }
  return stops;
}

/** Stops a restore, starts again, and checks that the target is as it was or whole, and that nothing else is left. */
export async function checkRestoreStop(stop: RestoreStop): Promise<void> {
  await restoreUntil(stop).catch((error) => {
    throw new Error(`a ${stop.kind} restore that is stopped at act ${stop.act}`, { cause: error });
  });
}

/** Returns how many acts there were. */
async function restoreUntil({ kind, act }: RestoreStop): Promise<number> {
  const site = createCrashSite();
  const folder = mkdtempSync(join(tmpdir(), "tercel-stops-"));
  const target = join(folder, "target");
  try {
    site.clear();
    const backup = await backUp(site);
    if (kind === "merge") {
      mkdirSync(join(target, "folder"), { recursive: true });
      writeFileSync(join(target, "folder", "file"), older);
      writeFileSync(join(target, "own"), older);
    }
    const files = new RecordingFiles({ stopAt: act });
    const isCompleted = await restore(files, backup, { folder, target, kind }, site.destinations);
    await recover(folder);
    check({ target, kind, source: site.source, isCompleted });
    return files.count;
  } finally {
    rmSync(folder, { recursive: true, force: true });
    site.remove();
  }
}

async function backUp(site: ReturnType<typeof createCrashSite>): Promise<StoredBackup> {
  const parts = await site.start(unsyncedFiles);
  try {
    const destination = join(site.destinations, "a.tar.zst");
    const { uuid, job } = await parts.backups.start({
      source: site.source,
      destination,
      compression: "",
      description: "",
    });
    await job.done;
    return parts.backups.get(uuid);
  } finally {
    await parts.close();
  }
}

interface Where {
  readonly folder: string;
  readonly target: string;
  readonly kind: RestoreStop["kind"];
}

/** Returns whether a client was told that it is completed. */
async function restore(
  files: RecordingFiles,
  backup: StoredBackup,
  where: Where,
  destinations: string,
): Promise<boolean> {
  const { folder, target, kind } = where;
  const database = openCatalog(join(folder, "catalogue.db"), createNodeDurableFiles(), () => "");
  try {
    const restores = createRestoreStore(database, createRowWriter(database, files));
    const uuid = randomUUID();
    restores.insert({ uuid, backupUuid: backup.uuid, target, createdAtMs: Date.now() });
    const archive = { archivePath: backup.destination, image: backup.image };
    const work = { uuid, backup, archive, target, paths: [], keepOwner: true, verify: true, bytes: backup.size };
    const merge = kind === "merge" ? ({ conflict: "overwrite", deleteExtra: false } as const) : undefined;
    const manifestFolder = join(dirname(destinations), "data", "manifests");
    const parts = { files, restores, manifestFolder, runner: createDirectRunner(files), log, nowMs: Date.now };
    await runRestore({ ...work, merge }, parts, () => {}, never);
    return true;
  } catch (error) {
    if (/ESTOPPED/.test(String((error as Error).message))) return false;
    throw error;
  } finally {
    database.close();
  }
}

async function recover(folder: string): Promise<void> {
  const files = createNodeDurableFiles();
  const database = openCatalog(join(folder, "catalogue.db"), files, () => "");
  try {
    const restores = createRestoreStore(database, createRowWriter(database, files));
    await recoverRestores({ files, restores, nowMs: Date.now });
    assert.deepEqual(restores.unfinished(), [], "a restore is in the middle of something after the recovery");
  } finally {
    database.close();
  }
}

interface Expected {
  readonly target: string;
  readonly kind: RestoreStop["kind"];
  readonly source: string;
  readonly isCompleted: boolean;
}

function check({ target, kind, source, isCompleted }: Expected): void {
  const names = (folder: string) => (readdirSync(folder, { recursive: true }) as string[]).sort();
  const content = (folder: string) => readFileSync(join(folder, "folder", "file"), "utf8");
  const leftovers = readdirSync(dirname(target)).filter((name) => name.startsWith("."));
  assert.deepEqual(leftovers, [], "next to the target");
  if (kind === "new") {
    assert.ok(existsSync(target) || !isCompleted, "a restore that was reported as completed is gone");
    if (!existsSync(target)) return;
    assert.deepEqual(names(target), names(source));
    assert.equal(content(target), content(source));
    return;
  }
  const own = ["folder", "folder/file", "own"];
  const whole = [...new Set([...own, ...names(source)])].sort();
  assert.ok(
    names(target).every((name) => whole.includes(name)),
    `in the target: ${names(target).join(", ")}`,
  );
  assert.ok(
    own.every((name) => existsSync(join(target, name))),
    "something of the target is gone",
  );
  assert.equal(readFileSync(join(target, "own"), "utf8"), older);
  // Each file is the old one or the new one, never a part.
  assert.ok([older, content(source)].includes(content(target)));
  if (!isCompleted) return;
  assert.deepEqual(names(target), whole);
  assert.equal(content(target), content(source));
}
