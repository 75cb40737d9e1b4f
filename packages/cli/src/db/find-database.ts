import { existsSync } from "node:fs";
import { relative, resolve } from "node:path";
import { nearestName } from "@tercel/grpc/internal";
import type { ConcernConfig, ServiceConfig } from "@tercel/service/config";
import type { PostgresOptions, SqliteOptions } from "@tercel/service/database";
import { exitCodes } from "../frame/exit-codes.ts";
import { CommandFailure, usageFailure } from "../frame/failure.ts";

/** A database of the configuration, as the kit opens it. */
export type FoundDatabase = FoundSqlite | FoundPostgres;

export interface FoundSqlite {
  readonly type: "sqlite";
  readonly name: string;
  /** With an absolute path. */
  readonly options: SqliteOptions;
  /** False before the first start of the service. */
  readonly isThere: boolean;
  /** For messages: `sqlite at data/users.db`. */
  readonly description: string;
}

export interface FoundPostgres {
  readonly type: "postgres";
  readonly name: string;
  readonly options: PostgresOptions;
}

const inMemory = ":memory:";

/**
 * Finds the database of that name in the configuration, else its default one.
 *
 * @throws CommandFailure when there is none, several are meant, or its data would end with this program
 */
export function findDatabase(
  { concerns, service }: ServiceConfig,
  wanted: string | undefined,
  cwd: string,
): FoundDatabase {
  const { name, type, config } = chooseEntry(concerns.database, wanted);
  if (type === "postgres") return { type, name, options: config as PostgresOptions };
  if (type !== "sqlite") {
    throw usageFailure(`database.providers.${name} has the type ${type}; tercel db opens sqlite and postgres`);
  }
  const { path, ...rest } = config as Partial<SqliteOptions>;
  // The kit's own default, found from the folder of the service.
  const file = path ?? `data/${service.name}.db`;
  if (file === inMemory) {
    throw new CommandFailure(
      exitCodes.failed,
      `database.providers.${name} is in memory: it is empty at each start, and its migrations are applied then`,
    );
  }
  const absolute = resolve(cwd, file);
  return {
    type,
    name,
    options: { path: absolute, ...rest },
    isThere: existsSync(absolute),
    description: `sqlite at ${relative(cwd, absolute)}`,
  };
}

function chooseEntry(concern: ConcernConfig | undefined, wanted: string | undefined): ConcernConfig["entries"][number] {
  const { entries = [], default: defaultName } = concern ?? {};
  const names = entries.map(({ name }) => name);
  if (entries.length === 0) {
    throw new CommandFailure(exitCodes.invalidInput, "the configuration has no database", {
      hint: "tercel config show lists what it has",
    });
  }
  const name = wanted ?? defaultName ?? (entries.length === 1 ? names[0] : undefined);
  if (name === undefined) {
    throw usageFailure(
      `several databases are configured: ${names.join(", ")}`,
      "say which with --database, or set database.default",
    );
  }
  const found = entries.find((entry) => entry.name === name);
  if (found !== undefined) return found;
  const nearest = nearestName(name, names);
  throw usageFailure(
    `no database ${JSON.stringify(name)} is configured; ${nearest === undefined ? `known are ${names.join(", ")}` : `did you mean ${nearest}?`}`,
  );
}
