import { mkdir } from "node:fs/promises";
import { dirname } from "node:path";
import { type InferOutput, optional, pipe, strictObject, transform } from "valibot";
import { choice, flag, text, url, wholeNumber } from "../config/values/basic-values.ts";
import { dropUndefined } from "../config/values/drop-undefined.ts";
import { duration } from "../config/values/duration.ts";
import { PermanentError } from "../permanent-error.ts";
import type { MigrationRequest, Opened, Provider, ProviderHost } from "../provider.ts";
import type { Database } from "./database.ts";
import type { SqliteOptions } from "./sqlite/sqlite-database.ts";

const concern = "database";

/** `database.providers.sqlite` */
const sqliteConfig = pipe(
  strictObject({
    path: optional(text({ minLength: 1, description: "The file, or `:memory:`. Default: `data/<service>.db`." })),
    busy_timeout: optional(
      duration({ minMs: 1, description: "Timeout of a statement that waits for the writer." }),
      "5s",
    ),
    synchronous: optional(
      choice(["full", "normal"], {
        description: "`normal` is faster, but a power failure loses the last commits.",
      }),
      "full",
    ),
    max_streams: optional(
      wholeNumber(1, 1000, { description: "Maximum number of connections for streams of rows." }),
      10,
    ),
  }),
  transform(({ path, busy_timeout: busyTimeoutMs, synchronous, max_streams: maxStreams }) => ({
    path,
    busyTimeoutMs,
    synchronous,
    maxStreams,
  })),
);

const postgresSchemes = ["postgres", "postgresql"];

/** `database.providers.postgres` */
const postgresConfig = pipe(
  strictObject({
    url: url(postgresSchemes, { description: "`postgres://user:password@host:5432/database?sslmode=verify-full`." }),
    migration_url: optional(
      url(postgresSchemes, {
        description:
          "A direct connection for locks and migrations, if `url` is a pooler in transaction mode. Default: `url`.",
      }),
    ),
    max_connections: optional(
      wholeNumber(1, 10_000, { description: "Maximum number of connections per process." }),
      10,
    ),
    connect_timeout: optional(duration({ minMs: 1, description: "Timeout of a connection attempt." }), "5s"),
    idle_timeout: optional(duration({ description: "Idle time after which a connection is closed." }), "30s"),
    statement_timeout: optional(
      duration({ minMs: 1, description: "Time after which the server cancels a statement. Default: never." }),
    ),
    prepare: optional(flag({ description: "`false` for a pooler without support for prepared statements." }), true),
  }),
  transform((written) => ({
    ...dropUndefined({ migrationUrl: written.migration_url, statementTimeoutMs: written.statement_timeout }),
    url: written.url,
    maxConnections: written.max_connections,
    connectTimeoutMs: written.connect_timeout,
    idleTimeoutMs: written.idle_timeout,
    prepare: written.prepare,
  })),
);

type SqliteConfig = InferOutput<typeof sqliteConfig>;
type PostgresConfig = InferOutput<typeof postgresConfig>;

const sqlite: Provider<SqliteConfig, Database> = {
  concern,
  type: "sqlite",
  config: sqliteConfig as Provider<SqliteConfig>["config"],
  async open(config, host) {
    const { openSqlite } = await import("./sqlite/sqlite-database.ts");
    const database = await openSqlite(await sqliteOptions(config, host), host);
    return opened(
      database,
      () => database.check(),
      () => database.close(),
    );
  },
  async migrate(config, request, host) {
    const options = await sqliteOptions(config, host);
    // Nothing to migrate yet; the need migrates it after it is opened.
    if (options.path === ":memory:") return;
    const { openSqlite } = await import("./sqlite/sqlite-database.ts");
    const database = await openSqlite(options, { ...host, metrics: undefined });
    await migrateAndClose(database, request, host, () => database.close());
  },
};

const postgres: Provider<PostgresConfig, Database> = {
  concern,
  type: "postgres",
  aliases: ["postgresql"],
  config: postgresConfig as Provider<PostgresConfig>["config"],
  peer: { name: "pg", range: "^8" },
  async open(config, host) {
    const { openPostgres } = await import("./postgres/postgres-database.ts");
    const database = await openPostgres(config, host);
    return opened(
      database,
      () => database.check(),
      () => database.close(),
    );
  },
  async migrate(config, request, host) {
    const { openPostgres } = await import("./postgres/postgres-database.ts");
    const { migrationUrl: url = config.url } = config;
    const database = await openPostgres({ ...config, url, maxConnections: 2 }, { ...host, metrics: undefined });
    await migrateAndClose(database, request, host, () => database.close());
  },
};

/** The built-in databases. An adapter's packages are loaded when it is opened. */
export const databaseProviders: readonly Provider[] = [sqlite, postgres];

async function sqliteOptions({ path, ...rest }: SqliteConfig, { service }: ProviderHost): Promise<SqliteOptions> {
  const file = path ?? `data/${service}.db`;
  if (file !== ":memory:") await ensureFolder(file);
  return { path: file, ...rest };
}

async function ensureFolder(file: string): Promise<void> {
  try {
    await mkdir(dirname(file), { recursive: true });
  } catch (error) {
    const text = `sqlite at ${file}: cannot create its folder: ${(error as Error).message}`;
    throw new PermanentError(text, { cause: error });
  }
}

function opened<Config>(
  database: Database,
  check: () => Promise<void>,
  close: () => Promise<void>,
): Opened<Config, Database> {
  return { port: database, describe: database.description, check, close };
}

async function migrateAndClose(
  database: Database,
  { folder, mode }: MigrationRequest,
  { log, signal }: ProviderHost,
  close: () => Promise<void>,
): Promise<void> {
  const { checkMigrations, migrate } = await import("../migrations/migrate.ts");
  try {
    if (mode === "check") await checkMigrations(database, { folder, log, signal });
    else await migrate(database, { folder, log, signal });
  } finally {
    await close();
  }
}
