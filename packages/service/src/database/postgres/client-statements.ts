import type pg from "pg";
import type { Sql } from "sql-template-tag";
import type { Statements } from "../queries.ts";
import { toDatabaseError } from "./postgres-errors.ts";
import type { StatementNames } from "./statement-names.ts";

/** Rows fetched at a time by a stream. */
const streamRows = 200;

/** The driver's connection. */
export type PgClient = pg.ClientBase;

let cursors = 0;

/** Runs statements on one connection, one after another. A stream must run inside a transaction, because it uses a cursor. */
export class ClientStatements implements Statements {
  readonly #client: PgClient;
  readonly #names: StatementNames | undefined;
  #last: Promise<unknown> = Promise.resolve();

  /** @param names of prepared statements; undefined if they are disabled */
  constructor(client: PgClient, names: StatementNames | undefined) {
    this.#client = client;
    this.#names = names;
  }

  all = async (query: Sql): Promise<object[]> => (await this.#query(query.text, query.values, true)).rows;

  run = async (query: Sql): Promise<{ changes: number }> => {
    return { changes: (await this.#query(query.text, query.values, true)).rowCount ?? 0 };
  };

  stream = (query: Sql): AsyncIterable<object> => this.#stream(query);

  /** Executes one or several statements without parameters. */
  async execute(text: string): Promise<void> {
    await this.#query(text, undefined, false);
  }

  async *#stream(query: Sql): AsyncGenerator<object> {
    cursors += 1;
    const cursor = `tercel_cursor_${cursors}`;
    await this.#query(`DECLARE ${cursor} NO SCROLL CURSOR FOR ${query.text}`, query.values, false);
    let hasFailed = false;
    try {
      for (;;) {
        const { rows } = await this.#query(`FETCH ${streamRows} FROM ${cursor}`, undefined, false);
        yield* rows;
        if (rows.length < streamRows) return;
      }
    } catch (error) {
      // A failed statement has ended the transaction and its cursor.
      hasFailed = true;
      throw error;
    } finally {
      if (!hasFailed) await this.#query(`CLOSE ${cursor}`, undefined, false);
    }
  }

  #query(text: string, values: unknown[] | undefined, isKept: boolean): Promise<pg.QueryResult> {
    const name = isKept ? this.#names?.nameOf(text) : undefined;
    const config = {
      text,
      ...(values !== undefined && { values: values.map(toParameter) }),
      ...(name !== undefined && { name }),
    };
    const send = async (): Promise<pg.QueryResult> => {
      try {
        return await this.#client.query(config);
      } catch (error) {
        throw toDatabaseError(error);
      }
    };
    const result = this.#last.then(send, send);
    this.#last = result.catch(() => {});
    return result;
  }
}

/** Converts a Date to ISO text in UTC, because pg would use the process's time zone. */
function toParameter(value: unknown): unknown {
  return value instanceof Date ? value.toISOString() : value;
}
