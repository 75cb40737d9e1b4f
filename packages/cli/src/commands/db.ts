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
    .summary("migrate and fill the database of a service")
    .description(
      "Works on the database of the service in this folder: the one that its configuration names, by the files in migrations/ and the rules that the service itself migrates by. Exit code 4 when a migration is wrong or was edited, 7 when the database cannot be reached.",
    );

  addMigrationOptions(
    db
      .command("migrate")
      .description("Applies the migrations that are pending, in order, one process at a time.")
      .option("--dry-run", "print the names of those that are pending and apply none"),
  ).action(async (options: MigrateOptions) => {
    const { migrateDatabase } = await import("../db/migrate-database.ts");
    await migrateDatabase(options, context);
  });

  addMigrationOptions(
    addOutputOption(
      db
        .command("status")
        .description("Lists the migrations and when each was applied. Changes nothing.")
        .option("--check", "exit with code 3 when one is pending"),
      ["table", "json", "ndjson", "name"],
    ),
  ).action(async (options: StatusOptions) => {
    const { showMigrations } = await import("../db/migrate-database.ts");
    await showMigrations(options, context);
  });

  addFolderOption(
    db
      .command("new")
      .description("Writes a migration to fill in, with the next number, and prints its path.")
      .argument("<name>", "what it does, such as add_orders")
      .addOption(
        new Option("--for <database>", "for one kind of database alone (default: for every one)").choices([
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
        'Undoes the last migrations by what follows "-- down" in their files. Asks first; where no one can be asked, --yes is needed.',
      )
      .option("--steps <count>", "how many", "1")
      .option("-y, --yes", "do not ask"),
  ).action(async (options: RollbackOptions) => {
    const { rollBackDatabase } = await import("../db/migrate-database.ts");
    await rollBackDatabase(options, context);
  });

  addMigrationOptions(
    db
      .command("seed")
      .description(
        "Runs the .sql files of seeds/ in the order of their names, each in a transaction; NAME.postgres.sql takes the place of NAME.sql with PostgreSQL. Write them so that they may run again: ON CONFLICT DO NOTHING. Outside of development it asks first.",
      )
      .option("--seeds <folder>", "where the files are", "seeds")
      .option("-y, --yes", "do not ask"),
  ).action(async (options: SeedOptions) => {
    const { seedDatabase } = await import("../db/seed-database.ts");
    await seedDatabase(options, context);
  });

  addDatabaseOptions(
    db.command("shell").description("Opens the database's own prompt, sqlite3 or psql, connected as the service is."),
  ).action(async (options: DatabaseOptions) => {
    const { openShell } = await import("../db/open-shell.ts");
    await openShell(options, context);
  });
}

function addFolderOption(command: Command): Command {
  return command.option("--migrations <folder>", "where the files are", "migrations");
}

function addDatabaseOptions(command: Command): Command {
  return addSourceOptions(
    command
      .optionsGroup("Database:")
      .option("--database <name>", "its key below database.providers (default: database.default, or the only one)"),
  );
}

function addMigrationOptions(command: Command): Command {
  return addFolderOption(addDatabaseOptions(command));
}
