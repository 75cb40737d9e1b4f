import type { MigrationState } from "@tercel/service/database";
import type { CommandContext } from "../frame/context.ts";
import { exitCodes } from "../frame/exit-codes.ts";
import { CommandFailure, usageFailure } from "../frame/failure.ts";
import { type OutputFormat, printListing } from "../frame/output-format.ts";
import { requireConfirmation } from "../frame/require-confirmation.ts";
import { migrationsFolder } from "./migrations-folder.ts";
import { type DatabaseOptions, withDatabase } from "./with-database.ts";

export interface MigrationOptions extends DatabaseOptions {
  readonly migrations: string;
}

export interface MigrateOptions extends MigrationOptions {
  readonly dryRun?: boolean;
}

/** `tercel db migrate` */
export async function migrateDatabase(options: MigrateOptions, context: CommandContext): Promise<void> {
  const folder = migrationsFolder(options.migrations, context.cwd);
  const isDryRun = options.dryRun === true;
  await withDatabase(options, { writes: !isDryRun }, context, async ({ kit, database, description, log }) => {
    if (isDryRun) {
      for (const { name } of pendingOf(await kit.readMigrationStates(database, folder)))
        await context.stdout.line(name);
      return;
    }
    const applied = await kit.migrate(database, { folder, log, signal: context.signal });
    const what = applied.length === 0 ? "nothing to apply" : `${countText(applied.length)} applied`;
    await context.stderr.line(`${what}: ${description} is up to date`);
  });
}

export interface StatusOptions extends MigrationOptions {
  readonly check?: boolean;
  readonly output: OutputFormat;
}

/** `tercel db status` */
export async function showMigrations(options: StatusOptions, context: CommandContext): Promise<void> {
  const folder = migrationsFolder(options.migrations, context.cwd);
  await withDatabase(options, { writes: false }, context, async ({ kit, database, description }) => {
    const states = await kit.readMigrationStates(database, folder);
    const pending = pendingOf(states).length;
    await printListing(context, options.output, {
      name: "migrations",
      rows: states,
      header: ["MIGRATION", "APPLIED"],
      cells: ({ name, appliedAt }) => [name, appliedAt ?? "pending"],
      json: ({ name, appliedAt }) => ({ name, appliedAt: appliedAt ?? null }),
      nameOf: ({ name }) => name,
    });
    if (options.output === "table") {
      await context.stderr.line(`${description}: ${states.length - pending} applied, ${pending} pending`);
    }
    if (options.check === true && pending > 0) throw pendingFailure(pending, description);
  });
}

export interface RollbackOptions extends MigrationOptions {
  readonly steps: string;
  readonly yes?: boolean;
}

/** `tercel db rollback` */
export async function rollBackDatabase(options: RollbackOptions, context: CommandContext): Promise<void> {
  const steps = readSteps(options.steps);
  const folder = migrationsFolder(options.migrations, context.cwd);
  await withDatabase(options, { writes: false }, context, async ({ kit, database, description, log }) => {
    const applied = (await kit.readMigrationStates(database, folder)).filter(
      ({ appliedAt }) => appliedAt !== undefined,
    );
    const names = applied.slice(-steps).map(({ name }) => name);
    if (names.length === 0) {
      await context.stderr.line(`nothing to undo: no migration is applied at ${description}`);
      return;
    }
    await requireConfirmation(
      `undo ${names.reverse().join(", ")} at ${description} and lose the data in these tables and columns`,
      options.yes,
      context,
    );
    const undone = await kit.rollBackMigrations(database, { folder, log, signal: context.signal }, steps);
    await context.stderr.line(`${countText(undone.length)} undone at ${description}`);
  });
}

export function pendingOf(states: readonly MigrationState[]): MigrationState[] {
  return states.filter(({ appliedAt }) => appliedAt === undefined);
}

/** Creates the failure for pending migrations, with exit code 3, so that a script stops. */
export function pendingFailure(count: number, description: string): CommandFailure {
  return new CommandFailure(
    exitCodes.partial,
    `${countText(count)} ${count === 1 ? "is" : "are"} pending at ${description}`,
    { hint: "tercel db migrate applies them" },
  );
}

function countText(count: number): string {
  return count === 1 ? "1 migration" : `${count} migrations`;
}

function readSteps(text: string): number {
  if (/^[1-9]\d{0,3}$/.test(text)) return Number(text);
  throw usageFailure(`invalid --steps ${JSON.stringify(text)}: expected a whole number from 1 to 9999`);
}
