import { readdir, readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import type { Dialect } from "../database/database.ts";
import { PermanentError } from "../permanent-error.ts";
import { type Migration, type MigrationName, parseMigration, parseMigrationName } from "./migration-file.ts";

interface NamedFile extends MigrationName {
  readonly file: string;
}

/**
 * Reads the migrations of a folder for one dialect, ordered by number. A file for the dialect takes precedence over one for all dialects; files that do
 * not end with `.sql` are ignored.
 *
 * @throws PermanentError for an unreadable folder, an invalid name or a duplicate number
 */
export async function readMigrations(folder: URL, dialect: Dialect): Promise<Migration[]> {
  const named = await listFiles(folder);
  const chosen = new Map<number, NamedFile>();
  for (const one of named) {
    if (one.dialect !== undefined && one.dialect !== dialect) continue;
    const known = chosen.get(one.version);
    if (known !== undefined && known.name !== one.name) {
      throw new PermanentError(
        `${fileURLToPath(folder)}: duplicate number of ${known.file} and ${one.file}; give one of them the next free number`,
      );
    }
    if (known?.dialect === undefined) chosen.set(one.version, one);
  }
  const inOrder = [...chosen.values()].sort((one, other) => one.version - other.version);
  return Promise.all(
    inOrder.map(async (one) => parseMigration(one.file, one, await readFile(new URL(one.file, folder), "utf8"))),
  );
}

async function listFiles(folder: URL): Promise<NamedFile[]> {
  const path = fileURLToPath(folder);
  if (!path.endsWith("/") && !path.endsWith("\\")) {
    throw new PermanentError(`migrations: invalid folder URL ${folder.href}: it must end with a slash`);
  }
  let files: string[];
  try {
    files = await readdir(folder);
  } catch (error) {
    throw new PermanentError(`migrations: cannot read ${path}: ${(error as Error).message}`, { cause: error });
  }
  return files
    .filter((file) => file.endsWith(".sql"))
    .map((file) => {
      const name = parseMigrationName(file);
      if (name !== undefined) return { ...name, file };
      throw new PermanentError(
        `${path}${file}: invalid migration name: expected a number of four digits or more, such as 0001_users.sql or 0001_users.postgres.sql`,
      );
    });
}
