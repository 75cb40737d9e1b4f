import { noArchive, readIdentity } from "../archive/archive-identity.ts";
import { hashFile } from "../archive/hash-file.ts";
import type { EngineName } from "../engine/compression.ts";
import type { ArchiveImage, EngineEvents } from "../engine/engine.ts";
import { engines } from "../engine/engines.ts";
import { fail } from "../failure/failure.ts";
import type { DurableFiles } from "../files/durable-files.ts";
import type { ManifestHeader } from "../manifest/manifest-file.ts";
import type { PerformedWrite } from "./perform-write.ts";
import { writeManifest } from "./write-manifest.ts";

/** An archive to make a manifest of, as a draft, which must not exist. */
export interface IndexJob extends ArchiveImage {
  readonly engine: EngineName;
  readonly manifestDraftPath: string;
  readonly header: ManifestHeader;
}

/** Reads an archive that is there already. What it leaves on failure is its caller's to remove. */
export async function performIndex(
  files: DurableFiles,
  job: IndexJob,
  events: EngineEvents,
  signal: AbortSignal,
): Promise<PerformedWrite> {
  const { engine, archivePath, image, snapshot } = job;
  if (engine === "restic") {
    events.onPhase("reading");
    const listed = await writeManifest(files, job, (manifest) =>
      engines[engine].index({ archivePath, image, snapshot }, manifest, events, signal),
    );
    // What each snapshot has added is not known.
    return { ...listed, ...noArchive, sha256: snapshot?.id ?? "" };
  }
  const before = await readIdentity(archivePath);
  events.onTotal(before.storedBytes, 1);
  events.onPhase("reading");
  const result = await writeManifest(files, job, (manifest) =>
    engines[engine].index({ archivePath, image }, manifest, events, signal),
  );
  events.onPhase("verifying");
  const sha256 = await hashFile(archivePath, signal);
  const after = await readIdentity(archivePath);
  if (after.mtimeNs !== before.mtimeNs || after.storedBytes !== before.storedBytes || after.inode !== before.inode) {
    const message = `${archivePath} changed while it was read: import it when nothing writes to it any more`;
    fail({ reason: "IO_FAILED", path: archivePath, message });
  }
  return { ...result, ...after, sha256 };
}
