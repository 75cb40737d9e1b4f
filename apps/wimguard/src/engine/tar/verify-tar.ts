import type { Buffer } from "node:buffer";
import { throwIfCancelled } from "../../failure/failure.ts";
import type { EngineEvents } from "../engine.ts";
import { TarReader } from "./format/tar-reader.ts";
import { readTarArchive } from "./restore-tar.ts";

/** A place in an archive between two members, where a frame begins. */
export interface ArchivePosition {
  /** In the archive as it is before compression. */
  readonly offset: number;
  readonly fileOffset: number;
}

export const archiveStart: ArchivePosition = { offset: 0, fileOffset: 0 };

/**
 * Reads an archive to its end: decompressed, as members.
 *
 * @throws FailureError ARCHIVE_DAMAGED
 */
export async function verifyTar(
  archivePath: string,
  { offset, fileOffset }: ArchivePosition,
  events: EngineEvents,
  signal: AbortSignal,
): Promise<void> {
  events.onPhase("verifying");
  const reader = new TarReader({}, offset);
  const take = (bytes: Buffer): void => {
    throwIfCancelled(signal);
    reader.push(bytes);
  };
  await readTarArchive(archivePath, take, fileOffset);
  reader.end();
}
