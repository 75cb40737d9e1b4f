import type { StoredBackup } from "../catalog/backup-store.ts";
import type { ArchiveImage } from "../engine/engine.ts";

/** Where a completed backup is. */
export function toImage({
  destination: archivePath,
  image,
}: Pick<StoredBackup, "destination" | "image">): ArchiveImage {
  return { archivePath, image };
}
