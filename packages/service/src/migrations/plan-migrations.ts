import { PermanentError } from "../permanent-error.ts";
import type { Migration } from "./migration-file.ts";

/** A row of `tercel_migrations`. */
export interface AppliedMigration {
  readonly version: number;
  readonly name: string;
  readonly sha256: string;
  /** ISO time in UTC. */
  readonly applied_at: string;
}

export interface MigrationPlan {
  readonly pending: readonly Migration[];
  /** Applied by a later release, which may be running alongside this one. */
  readonly unknown: readonly AppliedMigration[];
}

/**
 * Compares the files with the applied migrations.
 *
 * @param files in order of their versions
 * @param applied in order of their versions
 * @throws PermanentError for a file that was edited, removed or inserted after it should have been applied
 */
export function planMigrations(files: readonly Migration[], applied: readonly AppliedMigration[]): MigrationPlan {
  const byVersion = new Map(files.map((file) => [file.version, file]));
  const lastFile = files.at(-1)?.version ?? 0;
  const lastApplied = applied.at(-1);
  for (const one of applied) {
    const file = byVersion.get(one.version);
    if (file === undefined && one.version < lastFile) {
      throw new PermanentError(`file of applied migration ${one.name} is missing; restore it`);
    }
    if (file !== undefined && file.sha256 !== one.sha256) throw new PermanentError(editedText(file, one));
  }
  const isApplied = new Set(applied.map(({ version }) => version));
  const pending = files.filter(({ version }) => !isApplied.has(version));
  const late = pending.find(({ version }) => lastApplied !== undefined && version < lastApplied.version);
  if (late !== undefined) {
    throw new PermanentError(
      `migration ${late.file} is out of order: ${lastApplied?.name} is already applied; give it a higher number`,
    );
  }
  return { pending, unknown: applied.filter(({ version }) => version > lastFile) };
}

function editedText(file: Migration, applied: AppliedMigration): string {
  return (
    `migration ${file.file} was edited after it was applied: its sha256 is ${file.sha256}, applied was ${applied.sha256}; ` +
    "restore it and add a new file for the change"
  );
}
