/** Thrown when a row violates a unique constraint. The message does not contain the values, which may be personal data. */
export class UniqueViolation extends Error {
  /** Undefined if the database does not report it. */
  readonly table: string | undefined;
  /** The key's columns; empty for an index on an expression. */
  readonly columns: readonly string[];

  constructor(table: string | undefined, columns: readonly string[], cause: unknown) {
    const key = columns.length === 0 ? "a unique index" : columns.map((column) => `${table}.${column}`).join(", ");
    super(`unique violation: a row with the same ${key} already exists`, { cause });
    this.name = "UniqueViolation";
    this.table = table;
    this.columns = columns;
  }
}

/** Thrown by `one` when the result does not have exactly one row. */
export class RowCountError extends Error {
  readonly rows: number;

  constructor(rows: number) {
    super(`expected one row, found ${rows === 0 ? "none" : rows}`);
    this.name = "RowCountError";
    this.rows = rows;
  }
}

/** Thrown when the connection is lost during a commit, so that its outcome is unknown. */
export class CommitUnknown extends Error {
  constructor(description: string, cause: unknown) {
    super(`${description}: connection lost during a commit; its outcome is unknown`, { cause });
    this.name = "CommitUnknown";
  }
}

/** Thrown when the database cannot be reached, or no connection becomes free in time. */
export class DatabaseUnavailable extends Error {
  constructor(description: string, cause: unknown) {
    super(`${description}: ${connectErrorText(cause)}`, { cause });
    this.name = "DatabaseUnavailable";
  }
}

/** Thrown when the database has no space left for writes; reads still work. */
export class DatabaseFull extends DatabaseUnavailable {
  constructor(description: string, cause: unknown) {
    super(description, cause);
    this.name = "DatabaseFull";
  }
}

/** Returns the message of a connection error. Node's error for a name with several addresses has an empty message. */
export function connectErrorText(error: unknown): string {
  if (error instanceof AggregateError) return error.errors.map(connectErrorText).join("; ");
  return error instanceof Error ? error.message : String(error);
}
