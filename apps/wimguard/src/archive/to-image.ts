import type { StoredBackup } from "../catalog/backup-store.ts";
import type { ArchiveImage } from "../engine/engine.ts";
import { isRepository } from "../engine/restic/repository/repository-location.ts";
import type { ArchiveStores } from "./archive-stores.ts";

/** Returns the location of a completed backup. */
export function toImage(
  { repositories }: Pick<ArchiveStores, "repositories">,
  { destination: archivePath, image, root, archive }: Pick<StoredBackup, "destination" | "image" | "root" | "archive">,
): ArchiveImage {
  if (!isRepository(archivePath)) return { archivePath, image };
  const secretRef = repositories.secretRefOf(archivePath);
  return { archivePath, image, snapshot: { id: archive.sha256, root, secretRef } };
}
