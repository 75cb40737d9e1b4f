import { DatabaseSync, type SQLInputValue, type StatementSync } from "node:sqlite";
import { LRUCache } from "lru-cache";
import type { Sql } from "sql-template-tag";
import type { RunResult } from "../database.ts";
import { firstWord } from "./first-word.ts";
import { isOutOfRange, toDatabaseError } from "./sqlite-errors.ts";

/** Limit on cached statements, of some kilobytes each; more texts indicate dynamic SQL. */
const maxStatements = 500;

export interface SqliteConnectionOptions {
  readonly path: string;
  readonly isReadOnly?: boolean;
  /** `full` syncs each commit to disk; `normal` may lose the last commits in a power failure. */
  readonly synchronous?: "full" | "normal";
}

/** A connection with cached prepared statements. All methods are synchronous and throw the port's errors. */
export class SqliteConnection {
  readonly #database: DatabaseSync;
  readonly #statements = new LRUCache<string, StatementSync>({ max: maxStatements });

  constructor({ path, isReadOnly = false, synchronous = "full" }: SqliteConnectionOptions) {
    this.#database = new DatabaseSync(path, { readOnly: isReadOnly, timeout: 0 });
    try {
      this.#database.exec(`PRAGMA synchronous = ${synchronous}`);
    } catch (error) {
      this.#database.close();
      throw error;
    }
  }

  all(query: Sql): object[] {
    const text = query.sql;
    const statement = this.#prepare(text);
    const values = toInputValues(query);
    return mapErrors(() => {
      // A second run would write twice, so integers are read as bigint at once.
      if (mayWrite(text)) return readLarge(statement, values);
      try {
        // SQLite's row objects have no prototype, so they are copied to plain objects.
        return statement.all(...values).map((row) => ({ ...row }));
      } catch (error) {
        if (!isOutOfRange(error)) throw error;
        return readLarge(statement, values);
      }
    });
  }

  run(query: Sql): RunResult {
    const statement = this.#prepare(query.sql);
    const values = toInputValues(query);
    return mapErrors(() => ({ changes: Number(statement.run(...values).changes) }));
  }

  /** Iterates with a new statement: a cached one would be reset when the same text runs during the iteration. */
  *iterate(query: Sql): Generator<object> {
    const statement = mapErrors(() => this.#database.prepare(query.sql));
    statement.setReadBigInts(true);
    const rows = statement.iterate(...toInputValues(query));
    try {
      for (let next = mapErrors(() => rows.next()); next.done !== true; next = mapErrors(() => rows.next())) {
        yield narrowIntegers(next.value as Record<string, unknown>);
      }
    } finally {
      rows.return?.();
    }
  }

  /** Executes several statements without parameters. */
  execute(text: string): void {
    mapErrors(() => this.#database.exec(text));
  }

  close(): void {
    this.#statements.clear();
    if (this.#database.isOpen) this.#database.close();
  }

  #prepare(text: string): StatementSync {
    const known = this.#statements.get(text);
    if (known !== undefined) return known;
    const made = mapErrors(() => this.#database.prepare(text));
    this.#statements.set(text, made);
    return made;
  }
}

function mapErrors<T>(use: () => T): T {
  try {
    return use();
  } catch (error) {
    throw toDatabaseError(error);
  }
}

/** First words of statements that cannot write; `WITH` may. */
const readingWords: ReadonlySet<string> = new Set(["SELECT", "VALUES", "EXPLAIN", "PRAGMA"]);

function mayWrite(text: string): boolean {
  return !readingWords.has(firstWord(text));
}

function readLarge(statement: StatementSync, values: SQLInputValue[]): object[] {
  statement.setReadBigInts(true);
  try {
    return (statement.all(...values) as Record<string, unknown>[]).map(narrowIntegers);
  } finally {
    statement.setReadBigInts(false);
  }
}

/** Converts integers to number if exact; others stay bigint. */
function narrowIntegers(row: Record<string, unknown>): object {
  for (const [name, value] of Object.entries(row)) {
    if (typeof value !== "bigint") continue;
    const number = Number(value);
    if (Number.isSafeInteger(number)) row[name] = number;
  }
  return { ...row };
}

function toInputValues(query: Sql): SQLInputValue[] {
  return query.values.map(toInputValue);
}

/** Converts a parameter. SQLite has neither booleans nor times: they become 0 and 1, and ISO text in UTC, which sorts by time. */
function toInputValue(value: unknown, at: number): SQLInputValue {
  switch (typeof value) {
    case "string":
    case "number":
    case "bigint":
      return value;
    case "boolean":
      return value ? 1 : 0;
    case "undefined":
      return null;
    default:
      if (value === null || value instanceof Uint8Array) return value;
      if (value instanceof Date) return value.toISOString();
      throw new TypeError(
        `sql: parameter ${at + 1} is ${Array.isArray(value) ? "an array" : `a ${typeof value}`}; expected a string, ` +
          "number, bigint, boolean, Uint8Array, Date or null; JSON.stringify it, or spread a list with join()",
      );
  }
}
