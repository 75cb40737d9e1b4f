import type pg from "pg";
import { ClientStatements } from "./client-statements.ts";
import { toOpenError } from "./postgres-errors.ts";

/** A connection outside of the pool, for state of a connection: locks and notifications. */
export interface DirectSession {
  readonly statements: ClientStatements;
  /** Aborted when the connection ends without `close`. */
  readonly lost: AbortSignal;
  onNotification(listener: () => void): void;
  close(): Promise<void>;
}

/** Opens a direct connection. @throws PermanentError when it is rejected, DatabaseUnavailable when the server cannot be reached */
export async function openDirectSession(client: pg.Client, description: string): Promise<DirectSession> {
  const ended = new AbortController();
  let isClosing = false;
  // An unhandled "error" event would end the process, even while no statement runs.
  client.on("error", (error) => ended.abort(error));
  client.on("end", () => {
    if (!isClosing) ended.abort(new Error(`${description}: the connection ended`));
  });
  try {
    await client.connect();
  } catch (error) {
    await client.end().catch(() => {});
    throw toOpenError(description, error);
  }
  return {
    statements: new ClientStatements(client, undefined),
    lost: ended.signal,
    onNotification: (listener) => void client.on("notification", listener),
    async close() {
      isClosing = true;
      // A lost connection is already closed.
      await client.end().catch(() => {});
    },
  };
}
