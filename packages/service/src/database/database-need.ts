import { refuseUnknownOptions } from "@tercel/grpc/internal";
import type { Need } from "../provider.ts";
import type { Database } from "./database.ts";

export interface DatabaseNeedOptions {
  /** Holds `0001_users.sql` and the files that follow it: `new URL("../migrations/", import.meta.url)`. */
  readonly migrations?: URL;
}

/** A need for the default database. */
export function database(options?: DatabaseNeedOptions): Need<Database, Database>;
/** A need for the database of that name in the configuration. */
export function database(provider: string, options?: DatabaseNeedOptions): Need<Database, Database>;
/** @throws TypeError for unknown options */
export function database(
  first: string | DatabaseNeedOptions = {},
  second: DatabaseNeedOptions = {},
): Need<Database, Database> {
  const [provider, options] = typeof first === "string" ? [first, second] : [undefined, first];
  refuseUnknownOptions("database", options, ["migrations"]);
  const { migrations } = options;
  return {
    concern: "database",
    ...(provider !== undefined && { provider }),
    ...(migrations !== undefined && { migrations }),
    async prepare(opened, { log, signal }) {
      const isInMemory = "isInMemory" in opened && opened.isInMemory === true;
      // One in memory begins empty, so it has nothing that could be checked, or migrated before it is open.
      if (isInMemory && migrations !== undefined) {
        const { migrate } = await import("../migrations/migrate.ts");
        await migrate(opened, { folder: migrations, log, signal });
      }
      return { port: opened };
    },
  };
}
