import { type Client, Code, ConnectError } from "@connectrpc/connect";
import type { BackupService } from "../gen/wimguard/v1/backup_pb.ts";

/** What to back up, and where to. */
export interface BackupInput {
  readonly source: string;
  readonly destination: string;
  /** Default: the engine's. */
  readonly compression?: string;
  readonly description?: string;
}

/** How far a backup is, in bytes of the source. */
export interface BackupUpdate {
  readonly uuid: string;
  readonly bytesDone: number;
  /** 0 until it is known. */
  readonly bytesTotal: number;
  /** What is being done: waiting, scanning, reading, verifying. */
  readonly phase: string;
}

export type OnBackupProgress = (update: BackupUpdate) => void;

export interface BackupResult {
  readonly uuid: string;
  /** Bytes of the source. */
  readonly size: number;
  /** What could not be read or changed meanwhile; empty if all is well. */
  readonly warnings: string;
}

/**
 * Runs a backup over its stream of progress.
 *
 * @throws ConnectError of a backup that failed or was cancelled
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
    // After "failed" comes the status, which says more.
  }
  throw new ConnectError("the stream ended before the backup did", Code.Internal);
}
