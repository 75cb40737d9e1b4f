import sql from "sql-template-tag";
import { insertEvent } from "../../events/outbox/insert-event.ts";
import type { Transaction } from "../database.ts";
import { createQueries } from "../queries.ts";
import type { TransactionScope } from "../transaction-scope.ts";
import type { ClientStatements } from "./client-statements.ts";

/** Creates the transaction object that `work` receives. */
export function createTransaction(scope: TransactionScope, statements: ClientStatements): Transaction {
  const guarded = scope.guard(statements);
  const tx: Transaction = {
    ...createQueries(guarded),
    publish: (schema, message, options) => insertEvent(tx, schema, message, options),
    notify: async (channel) => void (await guarded.all(sql`SELECT pg_notify(${channel}, '')`)),
  };
  return tx;
}

/** Rolls back. Resolves to false when the connection can no longer be used. */
export async function rollBack(statements: ClientStatements): Promise<boolean> {
  try {
    await statements.execute("ROLLBACK");
    return true;
  } catch {
    return false;
  }
}
