import { lstat } from "node:fs/promises";

/** What an archive is recognised by. */
export interface ArchiveIdentity {
  readonly storedBytes: number;
  readonly sha256: string;
  /** As decimal text: some file systems have inode numbers that no double holds. */
  readonly device: string;
  readonly inode: string;
  readonly mtimeNs: string;
}

/** What a destination has: the archive, another file, nothing, or no folder. */
export type ArchivePresence = "archive" | "other" | "gone" | "unreachable";

/** Of a backup that has no archive. */
export const noArchive: ArchiveIdentity = { storedBytes: 0, sha256: "", device: "", inode: "", mtimeNs: "" };

/** The identity of a file without its digest. Does not follow a link. */
export async function readIdentity(path: string): Promise<Omit<ArchiveIdentity, "sha256">> {
  const { size, dev, ino, mtimeNs } = await lstat(path, { bigint: true });
  return { storedBytes: Number(size), device: String(dev), inode: String(ino), mtimeNs: String(mtimeNs) };
}

/**
 * Whether a file is the archive that was written. The same inode with the same size and time is; otherwise its digest decides, for a
 * copy that was moved back for instance.
 */
export async function isSameArchive(
  path: string,
  expected: ArchiveIdentity,
  hash: (path: string) => Promise<string>,
): Promise<boolean> {
  const found = await readIdentity(path);
  if (found.storedBytes !== expected.storedBytes) return false;
  const { device, inode, mtimeNs } = expected;
  if (found.device === device && found.inode === inode && found.mtimeNs === mtimeNs) return true;
  return (await hash(path)) === expected.sha256;
}
