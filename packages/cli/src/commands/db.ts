import { type Command, Option } from "commander";
import { addSourceOptions } from "../config/source-options.ts";
import type { MigrateOptions, RollbackOptions, StatusOptions } from "../db/migrate-database.ts";
import type { NewMigrationOptions } from "../db/new-migration.ts";
import type { SeedOptions } from "../db/seed-database.ts";
import type { DatabaseOptions } from "../db/with-database.ts";
import type { CommandContext } from "../frame/context.ts";
import { addOutputOption } from "../frame/output-format.ts";

export function addDbCommand(program: Command, context: CommandContext): void {
  const db = program
    .command("db")
    .summary("migrate and seed the database of a service")
    .description(
      "Manages the database that the configuration of the service in this folder names, with the files in migrations/ and the same rules as the service itself. Exits with code 4 when a migration is invalid or was edited, 7 when the database cannot be reached.",
    );

  addMigrationOptions(
    db
      .command("migrate")
      .description("Applies the pending migrations in order; a lock lets one process at a time do so.")
      .option("--dry-run", "print the names of the pending migrations and apply none"),
  ).action(async (options: MigrateOptions) => {
    const { migrateDatabase } = await import("../db/migrate-database.ts");
    await migrateDatabase(options, context);
  });

  addMigrationOptions(
    addOutputOption(
      db
        .command("status")
        .description("Lists the migrations and when each was applied. Changes nothing.")
        .option("--check", "exit with code 3 when a migration is pending"),
      ["table", "json", "ndjson", "name"],
    ),
  ).action(async (options: StatusOptions) => {
    const { showMigrations } = await import("../db/migrate-database.ts");
    await showMigrations(options, context);
  });

  addFolderOption(
    db
      .command("new")
      .description("Creates an empty migration with the next number and prints its path.")
      .argument("<name>", "what the migration does, such as add_orders")
      .addOption(
        new Option("--for <database>", "for one type of database only (default: for all)").choices([
          "sqlite",
          "postgres",
        ]),
      ),
  ).action(async (name: string, options: NewMigrationOptions) => {
    const { newMigration } = await import("../db/new-migration.ts");
    await newMigration(name, options, context);
  });

  addMigrationOptions(
    db
      .command("rollback")
      .description(
        'Undoes the last migrations with the SQL after "-- down" in their files. Asks for confirmation; without a terminal, --yes is required.',
      )
      .option("--steps <count>", "number of migrations to undo", "1")
      .option("-y, --yes", "do not ask"),
  ).action(async (options: RollbackOptions) => {
    const { rollBackDatabase } = await import("../db/migrate-database.ts");
    await rollBackDatabase(options, context);
  });

  addMigrationOptions(
    db
      .command("seed")
      .description(
        "Runs the .sql files of seeds/ in the order of their names, each in a transaction; with PostgreSQL, NAME.postgres.sql replaces NAME.sql. Write them so that they can run repeatedly: ON CONFLICT DO NOTHING. Asks for confirmation outside of development.",
      )
      .option("--seeds <folder>", "folder with the .sql files", "seeds")
      .option("-y, --yes", "do not ask"),
  ).action(async (options: SeedOptions) => {
    const { seedDatabase } = await import("../db/seed-database.ts");
    await seedDatabase(options, context);
  });

  addDatabaseOptions(
    db
      .command("shell")
      .description("Opens the database's own shell, sqlite3 or psql, with the service's connection settings."),
  ).action(async (options: DatabaseOptions) => {
    const { openShell } = await import("../db/open-shell.ts");
    await openShell(options, context);
  });
}

function addFolderOption(command: Command): Command {
  return command.option("--migrations <folder>", "folder with the migrations", "migrations");
}

function addDatabaseOptions(command: Command): Command {
  return addSourceOptions(
    command
      .optionsGroup("Database:")
      .option(
        "--database <name>",
        "key of the database below database.providers (default: database.default, or the only one)",
      ),
  );
}

function addMigrationOptions(command: Command): Command {
  return addFolderOption(addDatabaseOptions(command));
}
