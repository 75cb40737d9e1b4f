import type { WimGuard } from "../../src/client/connect.ts";
import type { BackupProgress } from "../../src/gen/wimguard/v1/backup_pb.ts";
import type { LineLog } from "./line-log.ts";

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

/** Waits until a daemon says that a job has ended, and returns its state. */
export async function untilEnded({ log }: { readonly log: LineLog }, uuid: string): Promise<string> {
  const line = await log.waitFor(new RegExp(`"message":"(?:backup|restore) ended".*"uuid":"${uuid}"`));
  return (JSON.parse(line) as { state: string }).state;
}
