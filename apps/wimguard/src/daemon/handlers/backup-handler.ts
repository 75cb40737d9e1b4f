import { create, type MessageInitShape } from "@bufbuild/protobuf";
import type { HandlerContext, ServiceImpl } from "@connectrpc/connect";
import type { BackupService as Backups } from "../../backup/backup-service.ts";
import type { StoredBackup } from "../../catalog/backup-store.ts";
import { describeWarnings } from "../../catalog/warning-list.ts";
import {
  type Backup,
  type BackupProgressSchema,
  BackupSchema,
  type BackupService,
} from "../../gen/wimguard/v1/backup_pb.ts";
import { answering, failing } from "./failing.ts";
import { streamJob } from "./stream-job.ts";

const maxInt32 = 2 ** 31 - 1;

/** Status that clients see of the states between two durable acts. */
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
  const { uuid, source, ...job } = await failing(() => backups.start(request));
  yield* streamJob<StoredBackup, MessageInitShape<typeof BackupProgressSchema>>(job, signal, {
    started: { uuid, status: "started", message: `backing up ${source}` },
    progress: ({ bytesDone, bytesTotal, phase }) => ({
      uuid,
      status: "in_progress",
      bytesProcessed: BigInt(bytesDone),
      totalBytes: BigInt(bytesTotal),
      message: phase,
    }),
    completed({ size, warnings }) {
      const bytes = { bytesProcessed: BigInt(size), totalBytes: BigInt(size) };
      return [{ uuid, status: "completed", ...bytes, message: describeWarnings(warnings) }];
    },
    failed: (error) => ({ uuid, status: "failed", error }),
  });
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
