import { existsSync, mkdirSync, readdirSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import type { DatabaseSync } from "node:sqlite";
import type { DurableFiles } from "../files/durable-files.ts";

/** Number of daily copies: a week is enough to notice an accidental deletion. */
const keptCopies = 7;

/** Returns the folder of a catalogue's daily copies. */
export function copyFolderOf(catalogPath: string): string {
  return join(dirname(catalogPath), "copies");
}

/** Returns the daily copies of a catalogue, newest first. */
export function listCopies(catalogPath: string): string[] {
  const folder = copyFolderOf(catalogPath);
  if (!existsSync(folder)) return [];
  const pattern = /^\d{4}-\d\d-\d\d-(.+)$/;
  return readdirSync(folder)
    .filter((name) => pattern.exec(name)?.[1] === basename(catalogPath))
    .sort()
    .reverse()
    .map((name) => join(folder, name));
}

/**
 * Copies the catalogue unless it was copied on this day (UTC) already, and removes the oldest copies. Returns the path of the new copy.
 * The copy is a consistent snapshot by SQLite, renamed once it is synced.
 */
export async function copyCatalog(
  database: DatabaseSync,
  files: DurableFiles,
  catalogPath: string,
  nowMs: number,
): Promise<string | undefined> {
  const folder = copyFolderOf(catalogPath);
  const path = join(folder, `${new Date(nowMs).toISOString().slice(0, 10)}-${basename(catalogPath)}`);
  if (existsSync(path)) return undefined;
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const draft = join(folder, `.${basename(catalogPath)}.draft`);
  await files.unlink(draft);
  try {
    database.prepare("VACUUM INTO ?").run(draft);
    await files.syncFile(draft);
    await files.rename(draft, path);
  } catch (error) {
    await files.unlink(draft).catch(() => {});
    throw error;
  }
  for (const old of listCopies(catalogPath).slice(keptCopies)) await files.unlink(old);
  await files.syncFolder(folder);
  return path;
}
