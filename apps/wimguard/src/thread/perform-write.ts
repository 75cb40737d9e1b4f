import { createHash } from "node:crypto";
import { type ArchiveIdentity, readIdentity } from "../archive/archive-identity.ts";
import { hashFile } from "../archive/hash-file.ts";
import type { FileEngineName } from "../engine/compression.ts";
import type { EngineEvents, WriteTask, WrittenFile } from "../engine/engine.ts";
import { engines } from "../engine/engines.ts";
import { fail } from "../failure/failure.ts";
import type { DurableFile, DurableFiles } from "../files/durable-files.ts";
import { createManifestWriter, type ManifestHeader } from "../manifest/manifest-file.ts";

/** An archive to write as a part file, with its manifest as a draft. Neither file may exist. */
export interface WriteJob {
  readonly engine: FileEngineName;
  readonly task: WriteTask;
  readonly manifestDraftPath: string;
  readonly header: ManifestHeader;
}

/** An archive that has been written, synced and read back. */
export interface PerformedWrite extends ArchiveIdentity {
  readonly sourceBytes: number;
  readonly files: number;
  /** Its number in the file. */
  readonly image: number;
  /** The folder in a snapshot that paths are relative to; absent for a file. */
  readonly root?: string;
}

/** Steps 2 to 4 of a backup: part, engine, sync, verification. What it leaves on failure is its caller's to remove. */
export async function performWrite(
  files: DurableFiles,
  { engine, task, manifestDraftPath, header }: WriteJob,
  events: EngineEvents,
  signal: AbortSignal,
): Promise<PerformedWrite> {
  const part = await files.create(task.partPath);
  const draft = await files.create(manifestDraftPath).catch(async (error) => {
    await part.close();
    throw error;
  });
  const written = hashing(part);
  let result: WrittenFile;
  try {
    const manifest = await createManifestWriter(draft, header);
    result = await engines[engine].write(task, { ...manifest, part: written.file }, events, signal);
    await manifest.finish();
    await draft.sync();
  } finally {
    await Promise.all([part.close(), draft.close()]);
  }
  const { verifyNew, ...archive } = result;
  await files.syncFile(task.partPath);
  // Side by side: one of them decompresses in another thread or program.
  const [verified, hashed] = await Promise.allSettled([
    verifyNew?.(events, signal) ?? engines[engine].verify(task.partPath, events, signal),
    hashFile(task.partPath, signal),
  ]);
  if (verified.status === "rejected") throw verified.reason;
  if (hashed.status === "rejected") throw hashed.reason;
  const sha256 = hashed.value;
  if (written.digest() !== undefined && written.digest() !== sha256) {
    const message = `${task.partPath} does not read back as it was written: check the disk`;
    fail({ reason: "ARCHIVE_DAMAGED", path: task.partPath, message });
  }
  return { ...archive, ...(await readIdentity(task.partPath)), sha256 };
}

/** Hashes what passes; the digest is undefined for a file that another program writes. */
function hashing(file: DurableFile): { readonly file: DurableFile; digest(): string | undefined } {
  const hash = createHash("sha256");
  let digest: string | undefined;
  let hasPassed = false;
  return {
    file: {
      ...file,
      async write(bytes) {
        hasPassed = true;
        hash.update(bytes);
        await file.write(bytes);
      },
    },
    digest() {
      if (hasPassed) digest ??= hash.digest("hex");
      return digest;
    },
  };
}
