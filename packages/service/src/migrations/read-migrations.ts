import { readdir, readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import type { Dialect } from "../database/database.ts";
import { PermanentError } from "../permanent-error.ts";
import { type Migration, type MigrationName, parseMigration, parseMigrationName } from "./migration-file.ts";

interface NamedFile extends MigrationName {
  readonly file: string;
}

/**
 * Reads the migrations of a folder for one dialect, in order of their numbers. A file for the dialect takes precedence over the one that
 * serves all; files that do not end in `.sql` are ignored.
 *
 * @throws PermanentError for a folder that cannot be read, a name that is none, or a number that two migrations have
 */
export async function readMigrations(folder: URL, dialect: Dialect): Promise<Migration[]> {
  const named = await listFiles(folder);
  const chosen = new Map<number, NamedFile>();
  for (const one of named) {
    if (one.dialect !== undefined && one.dialect !== dialect) continue;
    const known = chosen.get(one.version);
    if (known !== undefined && known.name !== one.name) {
      throw new PermanentError(
        `${fileURLToPath(folder)}: ${known.file} and ${one.file} have the same number; give one of them the next free one`,
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
    throw new PermanentError(`migrations: the folder's URL ${folder.href} has to end in a slash`);
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
        `${path}${file}: not a migration's name; expected a number of four digits or more, such as 0001_users.sql or 0001_users.postgres.sql`,
      );
    });
}
