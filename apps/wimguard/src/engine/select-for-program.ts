import { Buffer } from "node:buffer";
import { fail } from "../failure/failure.ts";
import type { ManifestEntry } from "../manifest/manifest-entry.ts";
import { type RestoreSelection, selectPaths } from "../restore/restore-selection.ts";
import type { ReadTask } from "./engine.ts";

/** Paths on a command line; the kernel takes two megabytes. */
const maxRestorePaths = 1000;

/**
 * Selects what a program restores that gets paths on its command line, and counts the files. What is missing is named before anything is written.
 *
 * @throws FailureError FIELD_INVALID for too many paths, PATH_NOT_IN_ARCHIVE
 */
export async function selectForProgram(
  { paths }: Pick<ReadTask, "paths">,
  entries: (() => AsyncIterable<ManifestEntry>) | undefined,
): Promise<{ readonly selection: RestoreSelection; readonly files: number }> {
  if (paths.length > maxRestorePaths) {
    const message = `paths has more than ${maxRestorePaths} entries; name folders instead`;
    fail({ reason: "FIELD_INVALID", field: "paths", message });
  }
  const selection = await selectPaths(paths.length === 0 ? [Buffer.alloc(0)] : paths, entries?.() ?? noEntries());
  let files = 0;
  for await (const { path, kind } of entries?.() ?? noEntries()) {
    if ((kind === "file" || kind === "hardlink") && selection.nameOf(path, false) === path) files++;
  }
  return { selection, files };
}

async function* noEntries(): AsyncGenerator<never> {}
