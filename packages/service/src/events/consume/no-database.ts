import type { Transaction } from "../../database/database.ts";

const message = 'the service has no database: add `db: database()` to its needs, or do not use the handler\'s "tx"';

async function refuse(): Promise<never> {
  throw new Error(message);
}

/** Handed to handlers of services without a database. */
export const noDatabase: Transaction = {
  all: refuse,
  first: refuse,
  one: refuse,
  run: refuse,
  stream() {
    throw new Error(message);
  },
  publish: refuse,
  notify: refuse,
};
