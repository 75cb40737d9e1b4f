import { spawn } from "node:child_process";
import { loadProjectConfig } from "../config/load-project-config.ts";
import type { CommandContext } from "../frame/context.ts";
import { exitCodes } from "../frame/exit-codes.ts";
import { CommandFailure } from "../frame/failure.ts";
import { findDatabase } from "./find-database.ts";
import type { DatabaseOptions } from "./with-database.ts";

/** The command that starts an SQL shell. */
export interface ShellCommand {
  readonly program: string;
  readonly args: readonly string[];
  /** Environment variables. They hold the password, because every user of the machine can read arguments. */
  readonly variables: Readonly<Record<string, string>>;
}

/** `tercel db shell`: opens the database's own shell, connected as the service is. */
export async function openShell(options: DatabaseOptions, context: CommandContext): Promise<void> {
  const { value } = await loadProjectConfig(options, context);
  const found = findDatabase(value, options.database, context.cwd);
  const { program, args, variables } =
    found.type === "postgres" ? psqlCommand(found.options.url) : sqliteCommand(found.options.path);
  const child = spawn(program, args, { cwd: context.cwd, env: { ...context.env, ...variables }, stdio: "inherit" });
  const exitCode = await new Promise<number>((resolve, reject) => {
    child.once("error", (error: NodeJS.ErrnoException) => {
      if (error.code === "ENOENT") reject(notInstalled(program, error));
      else reject(error);
    });
    child.once("close", (code) => resolve(code ?? exitCodes.failed));
  });
  if (exitCode !== 0) throw new CommandFailure(exitCodes.failed, `${program} exited with code ${exitCode}`);
}

function sqliteCommand(path: string): ShellCommand {
  return { program: "sqlite3", args: [path], variables: {} };
}

/** Converts the parts of a URL to libpq's variables (PostgreSQL, §34.15). */
export function psqlCommand(url: string): ShellCommand {
  const { hostname, port, username, password, pathname, searchParams } = new URL(url);
  const parameters = [
    ["PGHOST", searchParams.get("host") ?? decodeURIComponent(hostname)],
    ["PGPORT", port],
    ["PGUSER", decodeURIComponent(username)],
    ["PGPASSWORD", decodeURIComponent(password)],
    ["PGDATABASE", decodeURIComponent(pathname.slice(1))],
    ["PGSSLMODE", searchParams.get("sslmode") ?? ""],
    ["PGSSLROOTCERT", searchParams.get("sslrootcert") ?? ""],
  ];
  return { program: "psql", args: [], variables: Object.fromEntries(parameters.filter(([, value]) => value !== "")) };
}

function notInstalled(program: string, cause: unknown): CommandFailure {
  return new CommandFailure(exitCodes.failed, `${program} is not installed`, {
    hint: program === "psql" ? "install postgresql-client" : "install sqlite3",
    cause,
  });
}
