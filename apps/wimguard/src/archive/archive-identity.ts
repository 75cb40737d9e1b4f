import { lstat } from "node:fs/promises";

/** Identifies the file of an archive. */
export interface ArchiveIdentity {
  readonly storedBytes: number;
  readonly sha256: string;
  /** Decimal text, because some file systems have inode numbers that a double cannot represent. */
  readonly device: string;
  readonly inode: string;
  readonly mtimeNs: string;
}

/** State of a destination: the archive, another file, no file, or no folder. */
export type ArchivePresence = "archive" | "other" | "gone" | "unreachable";

/** Identity of a backup without an archive. */
export const noArchive: ArchiveIdentity = { storedBytes: 0, sha256: "", device: "", inode: "", mtimeNs: "" };

/** Reads the identity of a file without its digest. Does not follow links. */
export async function readIdentity(path: string): Promise<Omit<ArchiveIdentity, "sha256">> {
  const { size, dev, ino, mtimeNs } = await lstat(path, { bigint: true });
  return { storedBytes: Number(size), device: String(dev), inode: String(ino), mtimeNs: String(mtimeNs) };
}

/**
 * Whether a file is the archive that was written: it has the same inode, size and time, or else the same digest, for example as a copy
 * that was moved back.
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
