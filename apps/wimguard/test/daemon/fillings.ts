import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import {
  closeSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  rmdirSync,
  rmSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Code } from "@connectrpc/connect";
import { assertStatus } from "@tercel/grpc/testing";
import { collect } from "@tercel/test-support/async";
import { hasErrorCode } from "../../src/failure/to-failure.ts";
import { afterwards, type CleanupContext } from "./cleanup.ts";
import { type DaemonInProcess, startInProcess } from "./daemon-in-process.ts";
import type { DaemonFolders } from "./daemon-process.ts";

const mebibyte = 2 ** 20;
const maxBackups = 100;

/** Why disks cannot be filled here, or false where they can. */
export function withoutSmallDisks(): string | false {
  const folder = mkdtempSync(join(tmpdir(), "tercel-disk-"));
  try {
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=1m", "tmpfs", folder], { stdio: "ignore" });
    execFileSync("umount", [folder]);
    return false;
  } catch {
    return "mounting is not allowed here";
  } finally {
    rmdirSync(folder);
  }
}

/**
 * Backs up to a small disk, on which the catalogue is too, until it is full; then to one that has not a byte left. Everything that was
 * completed stays whole, nothing else is left, and what is recorded can still be read and deleted. Returns how many backups were
 * completed.
 */
export async function fillDisk(context: CleanupContext, random: () => number): Promise<number> {
  const folders = mountSmallDisk(context, Math.floor((6 + random() * 6) * mebibyte));
  for (let at = 0; at < 5; at++) {
    writeFileSync(join(folders.source, `f${at}`), randomBytes(Math.floor((0.05 + random() * 0.25) * mebibyte)));
  }
  const daemon = await startInProcess(context, { folders });
  const kept: string[] = [];
  const backUp = async (name: string): Promise<string> => {
    const destination = join(folders.destinations, name);
    return (await daemon.client.backupToEnd({ source: folders.source, destination })).uuid;
  };
  const noSpace = { reason: "NO_SPACE", message: /no space left/ };
  for (let at = 0; ; at++) {
    assert.ok(at < maxBackups, "the disk does not become full");
    const name = `${at}${random() < 0.5 ? ".wim" : ".tar.zst"}`;
    try {
      kept.push(await backUp(name));
    } catch (error) {
      await assertStatus(Promise.reject(error), Code.ResourceExhausted, noSpace);
      break;
    }
  }
  await checkDisk(daemon, folders, kept);

  const filler = join(folders.destinations, "..", "filler");
  fill(filler);
  await assertStatus(backUp("full.tar"), Code.ResourceExhausted, noSpace);
  await checkDisk(daemon, folders, kept);
  const [deleted = ""] = kept.splice(0, 1);
  await daemon.client.backup.deleteBackup({ uuid: deleted });
  await checkDisk(daemon, folders, kept);
  await daemon.stop();

  rmSync(filler);
  const next = await startInProcess(context, { folders });
  await checkDisk(next, folders, kept);
  for (const uuid of kept) await collect(next.client.snapshot.verifySnapshot({ snapshotUuid: uuid, percent: 100 }));
  return kept.length + 1;
}

function mountSmallDisk(context: CleanupContext, bytes: number): DaemonFolders {
  const root = mkdtempSync(join(tmpdir(), "tercel-wimguard-"));
  afterwards(context, () => rmSync(root, { recursive: true }));
  const [disk, source] = [join(root, "disk"), join(root, "source")];
  for (const folder of [disk, source]) mkdirSync(folder);
  execFileSync("mount", ["-t", "tmpfs", "-o", `size=${bytes}`, "tmpfs", disk]);
  afterwards(context, () => execFileSync("umount", [disk]));
  const folders = { data: join(disk, "data"), destinations: join(disk, "destinations"), source };
  for (const folder of [folders.data, folders.destinations]) mkdirSync(folder);
  return folders;
}

/** Writes until there is no byte left. */
function fill(path: string): void {
  const file = openSync(path, "w");
  try {
    for (let size = 65_536; size >= 1; size = Math.floor(size / 2)) {
      try {
        for (;;) writeSync(file, Buffer.alloc(size));
      } catch (error) {
        if (!hasErrorCode(error, "ENOSPC")) throw error;
      }
    }
  } finally {
    closeSync(file);
  }
}

async function checkDisk(
  { client }: DaemonInProcess,
  { data, destinations }: DaemonFolders,
  kept: readonly string[],
): Promise<void> {
  const { backups } = await client.backup.listBackups({ limit: 1000 });
  const completed = backups.filter(({ status }) => status === "completed");
  assert.deepEqual(new Set(completed.map(({ uuid }) => uuid)), new Set(kept));
  assert.deepEqual(
    backups.filter(({ status }) => status !== "completed" && status !== "failed"),
    [],
  );
  assert.deepEqual(
    new Set(readdirSync(destinations)),
    new Set(completed.map(({ destination }) => destination.slice(destinations.length + 1))),
  );
  assert.deepEqual(new Set(readdirSync(join(data, "manifests"))), new Set(kept.map((uuid) => `${uuid}.jsonl.zst`)));
}
