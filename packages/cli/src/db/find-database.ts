import { existsSync } from "node:fs";
import { relative, resolve } from "node:path";
import type { ConcernConfig, ServiceConfig } from "@tercel/service/config";
import type { PostgresOptions, SqliteOptions } from "@tercel/service/database";
import { exitCodes } from "../frame/exit-codes.ts";
import { CommandFailure, usageFailure } from "../frame/failure.ts";
import { suggestOneOf } from "../frame/suggestion.ts";

/** A configured database, with the options that the kit opens it with. */
export type FoundDatabase = FoundSqlite | FoundPostgres;

export interface FoundSqlite {
  readonly type: "sqlite";
  readonly name: string;
  /** Options of the kit, with an absolute path. */
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
 * Finds the database with a name in the configuration, without a name the default one.
 *
 * @throws CommandFailure when there is none, the choice is ambiguous, or the database is in memory
 */
export function findDatabase(
  { concerns, service }: ServiceConfig,
  wanted: string | undefined,
  cwd: string,
): FoundDatabase {
  const { name, type, config } = chooseEntry(concerns.database, wanted);
  if (type === "postgres") return { type, name, options: config as PostgresOptions };
  if (type !== "sqlite") {
    throw usageFailure(`unsupported type ${type} of database.providers.${name}: tercel db opens sqlite and postgres`);
  }
  const { path, ...rest } = config as Partial<SqliteOptions>;
  // The kit's own default, relative to the service's folder.
  const file = path ?? `data/${service.name}.db`;
  if (file === inMemory) {
    throw new CommandFailure(
      exitCodes.failed,
      `cannot open database.providers.${name}: it is in memory, so it is empty and migrated at each start of the service`,
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
    throw new CommandFailure(exitCodes.invalidInput, "no database is configured", {
      hint: "add one below database.providers; tercel config show lists the configuration",
    });
  }
  const name = wanted ?? defaultName ?? (entries.length === 1 ? names[0] : undefined);
  if (name === undefined) {
    throw usageFailure(
      `several databases are configured: ${names.join(", ")}`,
      "choose one with --database, or set database.default",
    );
  }
  const found = entries.find((entry) => entry.name === name);
  if (found !== undefined) return found;
  throw usageFailure(`unknown database ${JSON.stringify(name)}: ${suggestOneOf(name, names)}`);
}
