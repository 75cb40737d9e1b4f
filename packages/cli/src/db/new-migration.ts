import { existsSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join, relative, resolve } from "node:path";
import type { Dialect } from "@tercel/service/database";
import type { CommandContext } from "../frame/context.ts";
import { usageFailure } from "../frame/failure.ts";

export interface NewMigrationOptions {
  readonly migrations: string;
  readonly for?: Dialect;
}

/** `tercel db new`: creates an empty migration with the next number. */
export async function newMigration(
  words: string,
  options: NewMigrationOptions,
  context: CommandContext,
): Promise<void> {
  const folder = resolve(context.cwd, options.migrations);
  const files = existsSync(folder) ? readdirSync(folder) : [];
  const path = join(folder, `${nextName(files, words)}${options.for === undefined ? "" : `.${options.for}`}.sql`);
  mkdirSync(folder, { recursive: true });
  // Another process may have taken the number in the meantime.
  writeFileSync(path, migrationText(words), { flag: "wx" });
  await context.stdout.line(relative(context.cwd, path));
}

/**
 * Returns the name of the next migration, without its ending: `0002_add_orders`.
 *
 * @throws CommandFailure when the words cannot form a name
 */
export function nextName(files: readonly string[], words: string): string {
  const slug = words
    .normalize("NFKD")
    .replace(/\p{M}/gu, "")
    .replace(/([a-z0-9])([A-Z])/g, "$1_$2")
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "_")
    .replace(/^_|_$/g, "");
  if (slug === "") {
    throw usageFailure(`invalid name ${JSON.stringify(words)}: expected what the migration does, such as add_orders`);
  }
  const numbers = files.map((file) => Number(/^(\d{4,9})_/.exec(file)?.[1] ?? 0));
  const next = Math.max(0, ...numbers) + 1;
  return `${String(next).padStart(4, "0")}_${slug}`;
}

function migrationText(words: string): string {
  return [
    `-- ${words.replace(/\s+/g, " ").trim()}`,
    "-- Do not change this file once it is applied: add the next migration instead.",
    "",
    "",
    "-- down",
    "-- SQL that undoes it, for tercel db rollback.",
    "",
  ].join("\n");
}
