import { createHash } from "node:crypto";
import type { Dialect } from "../database/database.ts";

/** A migration, as parsed from its file. */
export interface Migration {
  /** Number at the beginning of its file name. */
  readonly version: number;
  /** `0001_users`. */
  readonly name: string;
  /** `0001_users.postgres.sql`. */
  readonly file: string;
  /** SHA-256 of the whole file with Unix line endings, so that a checkout on Windows has the same. */
  readonly sha256: string;
  readonly up: string;
  /** SQL to undo it; undefined if the file has no `-- down`. */
  readonly down: string | undefined;
  /** False for SQL that cannot run inside a transaction, marked by `-- tercel: no-transaction`. */
  readonly isTransactional: boolean;
}

export interface MigrationName {
  readonly version: number;
  readonly name: string;
  /** Dialect of the file; undefined for all dialects. */
  readonly dialect: Dialect | undefined;
}

const nameForm = /^((\d{4,9})_[a-z0-9_]+)(?:\.(sqlite|postgres))?\.sql$/;

/** Parses a file name; undefined for an invalid one. */
export function parseMigrationName(file: string): MigrationName | undefined {
  const [, name, version, dialect] = nameForm.exec(file) ?? [];
  if (name === undefined) return undefined;
  return { version: Number(version), name, dialect: dialect as Dialect | undefined };
}

/** Matches the line before the SQL that undoes the migration. */
const downLine = /^--[ \t]*down[ \t]*$/im;
const noTransactionLine = /^--[ \t]*tercel:[ \t]*no-transaction[ \t]*$/im;

export function parseMigration(file: string, { version, name }: MigrationName, content: string): Migration {
  const text = content.replaceAll("\r\n", "\n");
  const down = downLine.exec(text);
  return {
    version,
    name,
    file,
    sha256: createHash("sha256").update(text).digest("hex"),
    up: down === null ? text : text.slice(0, down.index),
    down: down === null ? undefined : text.slice(down.index + down[0].length),
    isTransactional: !noTransactionLine.test(text),
  };
}
