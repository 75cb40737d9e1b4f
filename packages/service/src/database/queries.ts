import type { Sql } from "sql-template-tag";
import type { Queries, RunResult } from "./database.ts";
import { RowCountError } from "./database-errors.ts";

/** The operations that differ between databases; the others are derived from them. */
export interface Statements {
  all(query: Sql): Promise<object[]>;
  run(query: Sql): Promise<RunResult>;
  stream(query: Sql): AsyncIterable<object>;
}

/** Creates the query methods. The caller declares the type of rows, which is not checked. */
export function createQueries(statements: Statements): Queries {
  return {
    all: async <Row extends object>(query: Sql) => (await statements.all(query)) as Row[],
    first: async <Row extends object>(query: Sql) => (await statements.all(query))[0] as Row | undefined,
    async one<Row extends object>(query: Sql) {
      const rows = await statements.all(query);
      if (rows.length !== 1) throw new RowCountError(rows.length);
      return rows[0] as Row;
    },
    run: (query) => statements.run(query),
    stream: <Row extends object>(query: Sql) => statements.stream(query) as AsyncIterable<Row>,
  };
}
