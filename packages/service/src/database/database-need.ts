import type { Need } from "../provider.ts";
import type { Database } from "./database.ts";

export interface DatabaseNeedOptions {
  /** Folder with `0001_users.sql` and the following migrations: `new URL("../migrations/", import.meta.url)`. */
  readonly migrations?: URL;
}

/** Declares a need for the default database. Its options are validated when the service starts. */
export function database(options?: DatabaseNeedOptions): Need<Database, Database>;
/** Declares a need for a database by its name in the configuration. */
export function database(provider: string, options?: DatabaseNeedOptions): Need<Database, Database>;
export function database(
  first: string | DatabaseNeedOptions = {},
  second: DatabaseNeedOptions = {},
): Need<Database, Database> {
  const [provider, options] = typeof first === "string" ? [first, second] : [undefined, first];
  const { migrations } = options;
  return {
    concern: "database",
    ...(provider !== undefined && { provider }),
    ...(migrations !== undefined && { migrations }),
    async prepare(opened, { log, signal }) {
      const { refuseUnknownOptions } = await import("@tercel/grpc/internal");
      refuseUnknownOptions("database", options, ["migrations"]);
      const isInMemory = "isInMemory" in opened && opened.isInMemory === true;
      // A database in memory starts empty, so it is migrated after it is opened.
      if (isInMemory && migrations !== undefined) {
        const { migrate } = await import("../migrations/migrate.ts");
        await migrate(opened, { folder: migrations, log, signal });
      }
      return { port: opened };
    },
  };
}
