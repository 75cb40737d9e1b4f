import { createHash } from "node:crypto";
import type { Dialect } from "../database/database.ts";

/** One step of the schema, as its file says it. */
export interface Migration {
  /** The number that its file's name begins with. */
  readonly version: number;
  /** `0001_users`. */
  readonly name: string;
  /** `0001_users.postgres.sql`. */
  readonly file: string;
  /** Of the whole file, with the line ends of Unix, so that a checkout on Windows is the same. */
  readonly sha256: string;
  readonly up: string;
  /** Undefined where the file has no `-- down`. */
  readonly down: string | undefined;
  /** False for what cannot run inside of a transaction, marked by `-- tercel: no-transaction`. */
  readonly isTransactional: boolean;
}

export interface MigrationName {
  readonly version: number;
  readonly name: string;
  /** Undefined for a file that serves every dialect. */
  readonly dialect: Dialect | undefined;
}

const nameForm = /^((\d{4,9})_[a-z0-9_]+)(?:\.(sqlite|postgres))?\.sql$/;

/** Undefined for a name that a migration cannot have. */
export function parseMigrationName(file: string): MigrationName | undefined {
  const [, name, version, dialect] = nameForm.exec(file) ?? [];
  if (name === undefined) return undefined;
  return { version: Number(version), name, dialect: dialect as Dialect | undefined };
}

/** The line that the way back follows. */
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
