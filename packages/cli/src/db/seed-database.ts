import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join, relative, resolve } from "node:path";
import type { Database, Dialect, MigrationSession } from "@tercel/service/database";
import type { CommandContext } from "../frame/context.ts";
import { exitCodes } from "../frame/exit-codes.ts";
import { CommandFailure, usageFailure } from "../frame/failure.ts";
import { requireConfirmation } from "../frame/require-confirmation.ts";
import { type MigrationOptions, pendingFailure, pendingOf } from "./migrate-database.ts";
import { migrationsFolder } from "./migrations-folder.ts";
import { withDatabase } from "./with-database.ts";

export interface SeedOptions extends MigrationOptions {
  readonly seeds: string;
  readonly yes?: boolean;
}

/** `tercel db seed`: runs the files of `seeds/`, each in a transaction. */
export async function seedDatabase(options: SeedOptions, context: CommandContext): Promise<void> {
  const folder = resolve(context.cwd, options.seeds);
  if (!existsSync(folder)) {
    throw usageFailure(
      `seeds folder ${options.seeds} does not exist`,
      `create ${join(options.seeds, "users.sql")} with INSERT INTO … ON CONFLICT DO NOTHING`,
    );
  }
  const migrations = migrationsFolder(options.migrations, context.cwd);
  await withDatabase(options, { writes: true }, context, async ({ kit, database, description, isProduction }) => {
    const pending = pendingOf(await kit.readMigrationStates(database, migrations)).length;
    if (pending > 0) throw pendingFailure(pending, description);
    const files = seedFiles(readdirSync(folder), database.dialect);
    if (files.length === 0) throw usageFailure(`no .sql file for ${database.dialect} in ${options.seeds}`);
    if (isProduction) await requireConfirmation(`write sample data to ${description}`, options.yes, context);
    await runSeeds(
      database,
      files.map((file) => join(folder, file)),
      context,
    );
    await context.stderr.line(`${files.length === 1 ? "1 file" : `${files.length} files`} run at ${description}`);
  });
}

/** Returns the files for a dialect, sorted by name; `users.postgres.sql` replaces `users.sql`. */
export function seedFiles(files: readonly string[], dialect: Dialect): string[] {
  const chosen = new Map<string, string>();
  for (const file of files.toSorted()) {
    const [, name = "", ofDialect] = /^(.+?)(?:\.(sqlite|postgres))?\.sql$/.exec(file) ?? [];
    if (name === "" || (ofDialect !== undefined && ofDialect !== dialect)) continue;
    if (ofDialect !== undefined || !chosen.has(name)) chosen.set(name, file);
  }
  return [...chosen].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, file]) => file);
}

/** Runs the files on the migration connection: it accepts whole files, and its lock excludes migrations. */
async function runSeeds(database: Database, paths: readonly string[], context: CommandContext): Promise<void> {
  const session = await database.openMigrationSession(context.signal);
  try {
    for (const path of paths) {
      const shown = relative(context.cwd, path);
      await runSeed(session, database.dialect, path, shown);
      await context.stderr.line(`  ran ${shown}`);
    }
  } finally {
    await session.close();
  }
}

async function runSeed(session: MigrationSession, dialect: Dialect, path: string, shown: string): Promise<void> {
  const text = readFileSync(path, "utf8");
  await session.execute(dialect === "sqlite" ? "BEGIN IMMEDIATE" : "BEGIN");
  try {
    await session.execute(text);
    await session.execute("COMMIT");
  } catch (error) {
    await session.execute("ROLLBACK").catch(() => {});
    throw new CommandFailure(exitCodes.invalidInput, `${shown}: ${messageOf(error)}; the file was rolled back`, {
      cause: error,
    });
  }
}

/** Returns the message of an error; for a unique violation that of the database, which has more detail than the kit's. */
function messageOf(error: unknown): string {
  const { message, name, cause } = error as Error;
  return name === "UniqueViolation" && cause instanceof Error ? cause.message : message;
}
