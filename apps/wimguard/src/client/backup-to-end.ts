import { type Client, Code, ConnectError } from "@connectrpc/connect";
import type { BackupService } from "../gen/wimguard/v1/backup_pb.ts";

/** Source and destination of a backup. */
export interface BackupInput {
  readonly source: string;
  readonly destination: string;
  /** Compression, such as `ZSTD:3`. Default: the engine's. */
  readonly compression?: string;
  readonly description?: string;
}

/** Progress of a backup, in bytes of the source. */
export interface BackupUpdate {
  readonly uuid: string;
  readonly bytesDone: number;
  /** Total bytes; 0 until it is known. */
  readonly bytesTotal: number;
  /** Current phase: waiting, scanning, reading, verifying. */
  readonly phase: string;
}

export type OnBackupProgress = (update: BackupUpdate) => void;

export interface BackupResult {
  readonly uuid: string;
  /** Bytes of the source. */
  readonly size: number;
  /** Unreadable and changed paths; empty without warnings. */
  readonly warnings: string;
}

/**
 * Runs a backup to its end and reports its progress.
 *
 * @throws ConnectError when the backup fails or is cancelled
 */
export async function backupToEnd(
  client: Client<typeof BackupService>,
  request: BackupInput,
  onProgress: OnBackupProgress = () => {},
  options: { signal?: AbortSignal } = {},
): Promise<BackupResult> {
  for await (const update of client.createBackup(request, options)) {
    const { uuid, status, bytesProcessed, totalBytes, message } = update;
    if (status === "completed") return { uuid, size: Number(totalBytes), warnings: message };
    if (status === "started") onProgress({ uuid, bytesDone: 0, bytesTotal: 0, phase: "waiting" });
    if (status === "in_progress") {
      onProgress({ uuid, bytesDone: Number(bytesProcessed), bytesTotal: Number(totalBytes), phase: message });
    }
    // The status follows "failed" and has more detail.
  }
  throw new ConnectError("the stream ended before the backup did", Code.Internal);
}
