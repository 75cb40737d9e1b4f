import type {
  CompiledQuery,
  DatabaseConnection,
  Driver,
  QueryResult,
  RootOperationNode,
  TransactionSettings,
} from "kysely";
import type { Sql } from "sql-template-tag";
import type { Database, Isolation, Queries, Transaction } from "../database/database.ts";

/** Kysely's driver over a `Database`, which manages its connections itself: acquiring and releasing do nothing. */
export class PortDriver implements Driver {
  readonly #database: Database;
  readonly #tx: Transaction | undefined;

  constructor(database: Database, tx: Transaction | undefined) {
    this.#database = database;
    this.#tx = tx;
  }

  async init(): Promise<void> {}

  async acquireConnection(): Promise<PortConnection> {
    return new PortConnection(this.#tx ?? this.#database);
  }

  async beginTransaction(connection: DatabaseConnection, settings: TransactionSettings): Promise<void> {
    if (this.#tx !== undefined) throw new Error("kysely: this instance already belongs to a transaction");
    if (settings.accessMode !== undefined) throw new TypeError("kysely: setAccessMode is not supported");
    await asPort(connection).begin(this.#database, settings.isolationLevel as Isolation | undefined);
  }

  async commitTransaction(connection: DatabaseConnection): Promise<void> {
    await asPort(connection).finish("commit");
  }

  async rollbackTransaction(connection: DatabaseConnection): Promise<void> {
    await asPort(connection).finish("rollback");
  }

  async releaseConnection(): Promise<void> {}

  /** Does nothing: the caller that opened the database closes it. */
  async destroy(): Promise<void> {}
}

/** Casts a connection that `acquireConnection` returned. */
function asPort(connection: DatabaseConnection): PortConnection {
  return connection as PortConnection;
}

type Outcome = "commit" | "rollback";

/** Thrown to roll back a transaction of Kysely. */
class RolledBack extends Error {}

class PortConnection implements DatabaseConnection {
  #queries: Queries;
  #decide: ((outcome: Outcome) => void) | undefined;
  #running: Promise<void> | undefined;

  constructor(queries: Queries) {
    this.#queries = queries;
  }

  async executeQuery<Row>(compiled: CompiledQuery): Promise<QueryResult<Row>> {
    const query = toSql(compiled);
    if (!changesWithoutRows(compiled.query)) {
      const rows = (await this.#queries.all(query)) as Row[];
      return compiled.query.kind === "SelectQueryNode" ? { rows } : { rows, numAffectedRows: BigInt(rows.length) };
    }
    const { changes } = await this.#queries.run(query);
    return { rows: [], numAffectedRows: BigInt(changes) };
  }

  async *streamQuery<Row>(compiled: CompiledQuery): AsyncIterableIterator<QueryResult<Row>> {
    for await (const row of this.#queries.stream(toSql(compiled))) yield { rows: [row as Row] };
  }

  /** Begins a transaction: Kysely's have a beginning and an end, so the function of ours waits for the end. */
  async begin(database: Database, isolation: Isolation | undefined): Promise<void> {
    const outcome = new Promise<Outcome>((resolve) => {
      this.#decide = resolve;
    });
    await new Promise<void>((resolve, reject) => {
      const work = async (tx: Transaction): Promise<void> => {
        this.#queries = tx;
        resolve();
        if ((await outcome) === "rollback") throw new RolledBack();
      };
      // Kysely's callback cannot be run again from here.
      this.#running = database.transaction(work, { retries: 0, ...(isolation !== undefined && { isolation }) });
      this.#running.catch(reject);
    });
  }

  async finish(outcome: Outcome): Promise<void> {
    this.#decide?.(outcome);
    try {
      await this.#running;
    } catch (error) {
      if (outcome === "commit" || !(error instanceof RolledBack)) throw error;
    }
  }
}

/** Converts a compiled query to a template. */
function toSql({ sql, parameters }: CompiledQuery): Sql {
  const values = [...parameters];
  // The text is final: Kysely has inserted the dialect's placeholders.
  return {
    sql,
    text: sql,
    statement: sql,
    values,
    strings: [sql],
    inspect: () => ({ sql, text: sql, statement: sql, values }),
  };
}

function changesWithoutRows(node: RootOperationNode): boolean {
  if (node.kind !== "InsertQueryNode" && node.kind !== "UpdateQueryNode" && node.kind !== "DeleteQueryNode")
    return false;
  return node.returning === undefined;
}
