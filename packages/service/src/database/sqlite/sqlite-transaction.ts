import { insertEvent } from "../../events/outbox/insert-event.ts";
import type { Transaction } from "../database.ts";
import { createQueries, type Statements } from "../queries.ts";
import type { TransactionScope } from "../transaction-scope.ts";
import type { SqliteConnection } from "./sqlite-connection.ts";

/**
 * Creates the transaction object that `work` receives.
 *
 * @param channels receives the names of channels to notify after the commit
 */
export function createTransaction(
  scope: TransactionScope,
  writer: SqliteConnection,
  channels: Set<string>,
): Transaction {
  const statements: Statements = scope.guard({
    all: async (query) => writer.all(query),
    run: async (query) => writer.run(query),
    async *stream(query) {
      yield* writer.iterate(query);
    },
  });
  const tx: Transaction = {
    ...createQueries(statements),
    publish: (schema, message, options) => insertEvent(tx, schema, message, options),
    notify: async (channel) => void channels.add(channel),
  };
  return tx;
}

export function rollBack(writer: SqliteConnection): void {
  try {
    writer.execute("ROLLBACK");
  } catch {
    // SQLite has already rolled back, for example when the disk is full.
  }
}
