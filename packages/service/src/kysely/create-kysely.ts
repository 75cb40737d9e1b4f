import {
  type Dialect,
  Kysely,
  PostgresAdapter,
  PostgresIntrospector,
  PostgresQueryCompiler,
  SqliteAdapter,
  SqliteIntrospector,
  SqliteQueryCompiler,
} from "kysely";
import type { Database, Transaction } from "../database/database.ts";
import { PortDriver } from "./port-driver.ts";

/**
 * Creates a Kysely instance over a database, with the same connections. With `tx`, every query is part of that transaction, like `tx.publish`; Kysely's
 * own `transaction()` is rejected there.
 */
export function createKysely<Tables>(database: Database, tx?: Transaction): Kysely<Tables> {
  const createDriver = (): PortDriver => new PortDriver(database, tx);
  const dialect: Dialect =
    database.dialect === "sqlite"
      ? {
          createDriver,
          createAdapter: () => new SqliteAdapter(),
          createQueryCompiler: () => new SqliteQueryCompiler(),
          createIntrospector: (over) => new SqliteIntrospector(over),
        }
      : {
          createDriver,
          createAdapter: () => new PostgresAdapter(),
          createQueryCompiler: () => new PostgresQueryCompiler(),
          createIntrospector: (over) => new PostgresIntrospector(over),
        };
  return new Kysely<Tables>({ dialect });
}
