import { mkdirSync } from "node:fs";
import { dirname } from "node:path";
import { type Log, systemClock } from "@tercel/grpc";
import type { Database } from "@tercel/service/database";
import { loadProjectConfig } from "../config/load-project-config.ts";
import type { SourceOptions } from "../config/source-options.ts";
import type { CommandContext } from "../frame/context.ts";
import { createStderrLog } from "./create-stderr-log.ts";
import { databaseFailure } from "./database-failure.ts";
import { type FoundDatabase, findDatabase } from "./find-database.ts";
import { type DatabaseKit, loadProjectKit } from "./load-project-kit.ts";

/** The options of every command that opens a database. */
export interface DatabaseOptions extends SourceOptions {
  readonly database?: string;
}

/** The open database of the service in the working folder. */
export interface ProjectDatabase {
  readonly kit: DatabaseKit;
  readonly database: Database;
  /** Description for messages; contains no secret. */
  readonly description: string;
  readonly isProduction: boolean;
  readonly log: Log;
}

export interface Access {
  /** Whether the command writes to the database; only then its file is created. */
  readonly writes: boolean;
}

/**
 * Opens the database that the configuration in the working folder names, runs work on it and closes it.
 *
 * @throws CommandFailure with exit code 4 for a wrong configuration or migration, 7 when the database cannot be reached
 */
export async function withDatabase<T>(
  options: DatabaseOptions,
  access: Access,
  context: CommandContext,
  work: (project: ProjectDatabase) => Promise<T>,
): Promise<T> {
  const { value, environment } = await loadProjectConfig(options, context);
  const found = findDatabase(value, options.database, context.cwd);
  const kit = loadProjectKit(context.cwd);
  const log = createStderrLog(context);
  try {
    const database = await open(found, kit, log, access);
    try {
      const description = found.type === "sqlite" ? found.description : database.description;
      return await work({ kit, database, description, isProduction: environment.isProduction, log });
    } finally {
      await database.close();
    }
  } catch (error) {
    throw databaseFailure(error);
  }
}

function open(
  found: FoundDatabase,
  kit: DatabaseKit,
  log: Log,
  { writes }: Access,
): Promise<Database & { close(): Promise<void> }> {
  const host = { name: found.name, clock: systemClock };
  if (found.type === "postgres") return kit.openPostgres({ ...found.options, maxConnections: 2 }, { ...host, log });
  if (found.isThere) return kit.openSqlite(found.options, host);
  // An empty database in memory, so that reading creates no file.
  if (!writes) return kit.openSqlite({ path: ":memory:" }, host);
  mkdirSync(dirname(found.options.path), { recursive: true });
  return kit.openSqlite(found.options, host);
}
