/** A row that would have been the second with the same key. The values are not in the message: they may be personal. */
export class UniqueViolation extends Error {
  /** Undefined where the database does not say. */
  readonly table: string | undefined;
  /** The key's columns; empty for an index on an expression. */
  readonly columns: readonly string[];

  constructor(table: string | undefined, columns: readonly string[], cause: unknown) {
    const key = columns.length === 0 ? "a unique index" : columns.map((column) => `${table}.${column}`).join(", ");
    super(`unique violation: there is a row with the same ${key}`, { cause });
    this.name = "UniqueViolation";
    this.table = table;
    this.columns = columns;
  }
}

/** `one` was called and there was not exactly one row. */
export class RowCountError extends Error {
  readonly rows: number;

  constructor(rows: number) {
    super(`expected one row, found ${rows === 0 ? "none" : rows}`);
    this.name = "RowCountError";
    this.rows = rows;
  }
}

/** The connection was lost while the transaction was being committed: it may have been committed or not. */
export class CommitUnknown extends Error {
  constructor(description: string, cause: unknown) {
    super(`${description}: the connection was lost during a commit; whether it took effect is unknown`, { cause });
    this.name = "CommitUnknown";
  }
}

/** The database cannot be reached, or has no connection free in time. */
export class DatabaseUnavailable extends Error {
  constructor(description: string, cause: unknown) {
    super(`${description}: ${connectErrorText(cause)}`, { cause });
    this.name = "DatabaseUnavailable";
  }
}

/** The database has no room to write; it can still be read. */
export class DatabaseFull extends DatabaseUnavailable {
  constructor(description: string, cause: unknown) {
    super(description, cause);
    this.name = "DatabaseFull";
  }
}

/** Node's error for a name with several addresses has an empty message of its own. */
export function connectErrorText(error: unknown): string {
  if (error instanceof AggregateError) return error.errors.map(connectErrorText).join("; ");
  return error instanceof Error ? error.message : String(error);
}
