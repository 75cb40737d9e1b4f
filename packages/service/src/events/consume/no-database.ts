import type { Transaction } from "../../database/database.ts";

const message = "cannot use the handler's \"tx\" without a database: add `db: database()` to the service's needs";

async function refuse(): Promise<never> {
  throw new Error(message);
}

/** The transaction of handlers in services without a database; its methods throw. */
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
