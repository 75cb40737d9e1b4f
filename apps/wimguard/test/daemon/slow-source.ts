import { closeSync, ftruncateSync, openSync, writeSync } from "node:fs";
import { join } from "node:path";
import type { WimGuard } from "../../src/client/connect.ts";
import type { BackupProgress } from "../../src/gen/wimguard/v1/backup_pb.ts";

/** Zeros that are hashed at about a gigabyte a second. */
const holeBytes = 2 ** 40;

/** Fills a source whose backup takes minutes and no room: a file with a hole of a terabyte. */
export function fillSlowly(source: string, bytes: number = holeBytes): void {
  const file = openSync(join(source, "hole"), "w");
  writeSync(file, "begin");
  ftruncateSync(file, bytes);
  closeSync(file);
}

/** A backup that has begun to read its source. */
export interface RunningBackup {
  readonly uuid: string;
  readonly updates: AsyncIterator<BackupProgress>;
  cancel(): void;
}

/** Starts a backup and waits until it reads. */
export async function startBackup(wim: WimGuard, source: string, destination: string): Promise<RunningBackup> {
  const controller = new AbortController();
  const updates = wim.backup
    .createBackup({ source, destination }, { signal: controller.signal })
    [Symbol.asyncIterator]();
  for (;;) {
    const { value, done } = await updates.next();
    if (done === true) throw new Error("the backup ended at once");
    if (value.message === "reading") return { uuid: value.uuid, updates, cancel: () => controller.abort() };
  }
}

/** Waits until a backup is no longer in progress, and returns its status. */
export async function untilEnded(wim: WimGuard, uuid: string): Promise<string> {
  for (;;) {
    const { backup } = await wim.backup.getBackup({ uuid });
    if (backup?.status !== "in_progress") return backup?.status ?? "";
    await new Promise((wake) => setTimeout(wake, 20));
  }
}
