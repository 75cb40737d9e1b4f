import { create } from "@bufbuild/protobuf";
import type { HandlerContext, ServiceImpl } from "@connectrpc/connect";
import type { BackupService as Backups } from "../backup/backup-service.ts";
import type { StoredBackup } from "../catalog/backup-store.ts";
import { describeWarnings } from "../catalog/warning-list.ts";
import { type Backup, BackupSchema, type BackupService } from "../gen/wimguard/v1/backup_pb.ts";
import { answering, failing } from "./failing.ts";

const maxInt32 = 2 ** 31 - 1;

/** What the states between two durable acts are to clients. */
const statusOf: Partial<Record<StoredBackup["state"], string>> = { publishing: "in_progress", deleting: "completed" };

/** Creates the handlers of wimguard.v1.BackupService. */
export function createBackupHandler(backups: Backups): ServiceImpl<typeof BackupService> {
  return {
    createBackup: (request, context) => createBackup(backups, request, context),

    getBackup: ({ uuid }) => answering(() => ({ backup: toMessage(backups.get(uuid)) })),

    listBackups: ({ limit, offset }) =>
      answering(() => {
        const { backups: found, total } = backups.list(limit, offset);
        return { backups: found.map(toMessage), total: Math.min(total, maxInt32) };
      }),

    deleteBackup: ({ uuid }) =>
      failing(async () => {
        await backups.delete(uuid);
        return { success: true };
      }),
  };
}

async function* createBackup(
  backups: Backups,
  request: Parameters<Backups["start"]>[0],
  { signal }: Pick<HandlerContext, "signal">,
) {
  const { uuid, source, feed, job } = await failing(() => backups.start(request));
  const cancel = (): void => job.cancel();
  signal.addEventListener("abort", cancel, { once: true });
  if (signal.aborted) cancel();
  try {
    yield { uuid, status: "started", message: `backing up ${source}` };
    for await (const { bytesDone, bytesTotal, phase } of feed) {
      const count = { bytesProcessed: BigInt(bytesDone), totalBytes: BigInt(bytesTotal) };
      yield { uuid, status: "in_progress", ...count, message: phase };
    }
    const backup = await job.done;
    const size = BigInt(backup.size);
    yield {
      uuid,
      status: "completed",
      bytesProcessed: size,
      totalBytes: size,
      message: describeWarnings(backup.warnings),
    };
  } catch (error) {
    if (signal.aborted) throw signal.reason;
    yield { uuid, status: "failed", error: error instanceof Error ? error.message : String(error) };
    await failing(() => Promise.reject(error));
  } finally {
    // A client that has gone ends the generator at a yield; the call has ended when nothing is left.
    signal.removeEventListener("abort", cancel);
    cancel();
    await job.done.catch(() => {});
  }
}

function toMessage(backup: StoredBackup): Backup {
  const { uuid, name, source, destination, engine, state, size, createdAtMs } = backup;
  return create(BackupSchema, {
    uuid,
    name,
    source,
    destination,
    type: engine,
    status: statusOf[state] ?? state,
    size: BigInt(size),
    createdAt: new Date(createdAtMs).toISOString(),
  });
}
