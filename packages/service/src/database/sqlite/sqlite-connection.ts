import { DatabaseSync, type SQLInputValue, type StatementSync } from "node:sqlite";
import { LRUCache } from "lru-cache";
import type { Sql } from "sql-template-tag";
import type { RunResult } from "../database.ts";
import { firstWord } from "./first-word.ts";
import { isOutOfRange, toDatabaseError } from "./sqlite-errors.ts";

/** Each is some kilobytes of SQLite's memory; more than this many texts are built at run time and not worth keeping. */
const maxStatements = 500;

export interface SqliteConnectionOptions {
  readonly path: string;
  readonly isReadOnly?: boolean;
  /** `full` writes each commit to the disk; `normal` may lose the last commits when the machine loses power. */
  readonly synchronous?: "full" | "normal";
}

/** One connection with its prepared statements, kept by their text. Everything is synchronous and throws the port's errors. */
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
      // Run twice it would write twice, so the integers are read large at once.
      if (mayWrite(text)) return readLarge(statement, values);
      try {
        // Plain objects, as every other object of the application is: SQLite's have no prototype.
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

  /** Uses a new statement: a cached one would be reset when the same text runs during the iteration. */
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

  /** Runs several statements, without parameters. */
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

/** What cannot write, judged by its first word; `WITH` may. */
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

/** As the port promises: a number where it holds the integer, else a bigint. */
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

/** SQLite has neither booleans nor times: they become 0 and 1, and the ISO text in UTC, which sorts by time. */
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
        `sql: parameter ${at + 1} is ${Array.isArray(value) ? "an array" : `a ${typeof value}`}; it has to be a string, ` +
          "number, bigint, boolean, Uint8Array, Date or null; JSON.stringify it, or spread a list with join()",
      );
  }
}
