import { noArchive } from "../archive/archive-identity.ts";
import type { EngineEvents, StoreTask } from "../engine/engine.ts";
import { engines } from "../engine/engines.ts";
import type { DurableFiles } from "../files/durable-files.ts";
import type { ManifestHeader } from "../manifest/manifest-file.ts";
import type { PerformedWrite } from "./perform-write.ts";
import { writeManifest } from "./write-manifest.ts";

/** A source to store in a repository, with its manifest as a draft, which must not exist. */
export interface StoreJob {
  readonly engine: "restic";
  readonly task: StoreTask;
  readonly manifestDraftPath: string;
  readonly header: ManifestHeader;
}

/** What `performWrite` is for files. The digest of what was written is the snapshot's id. */
export async function performStore(
  files: DurableFiles,
  { engine, task, manifestDraftPath, header }: StoreJob,
  events: EngineEvents,
  signal: AbortSignal,
): Promise<PerformedWrite> {
  const stored = await writeManifest(files, { manifestDraftPath, header }, (manifest) =>
    engines[engine].store(task, { ...manifest, files }, events, signal),
  );
  const { id, addedBytes, ...written } = stored;
  return { ...written, ...noArchive, storedBytes: addedBytes, sha256: id };
}
