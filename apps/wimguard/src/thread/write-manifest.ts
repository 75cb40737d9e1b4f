import type { ManifestOutputs } from "../engine/engine.ts";
import type { DurableFiles } from "../files/durable-files.ts";
import { createManifestWriter, type ManifestHeader } from "../manifest/manifest-file.ts";

/** A manifest to be written as a draft, which must not exist. */
export interface ManifestDraft {
  readonly manifestDraftPath: string;
  readonly header: ManifestHeader;
}

/** Writes the manifest of what an engine lists, and syncs it. */
export async function writeManifest<Result>(
  files: DurableFiles,
  { manifestDraftPath, header }: ManifestDraft,
  list: (manifest: ManifestOutputs) => Promise<Result>,
): Promise<Result> {
  const draft = await files.create(manifestDraftPath);
  try {
    const manifest = await createManifestWriter(draft, header);
    const result = await list(manifest);
    await manifest.finish();
    await draft.sync();
    return result;
  } finally {
    await draft.close();
  }
}
