import { execFileSync } from "node:child_process";
import { chownSync, readdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { findProgram } from "./find-program.ts";
import { freePorts } from "./free-ports.ts";
import { createServerProcess, type ServerProcess } from "./server-process.ts";

const initdb = findProgram("initdb", debianFolders());

/** The reason to skip tests that need PostgreSQL; false if it is installed. */
export const withoutPostgres: string | false =
  initdb === undefined && "PostgreSQL is not installed; .ci/run installs it";

/** A PostgreSQL server for one test, with a user and a database "postgres" without a password. */
export interface PostgresServer extends ServerProcess {
  /** Port on 127.0.0.1. */
  readonly port: number;
}

export async function createPostgresServer(): Promise<PostgresServer> {
  const [port = 0] = await freePorts(1);
  const server = createServerProcess((folder) => {
    const as = unprivileged();
    if (as !== undefined) chownSync(folder, as.uid, as.gid);
    const data = join(folder, "data");
    const init = ["-D", data, "-U", "postgres", "-A", "trust", "--no-sync", "--encoding=UTF8", "--locale=C"];
    execFileSync(initdb ?? "initdb", init, { stdio: "ignore", cwd: folder, ...as });
    return {
      program: initdb === undefined ? "postgres" : join(dirname(initdb), "postgres"),
      args: ["-D", data, "-p", String(port), "-h", "127.0.0.1", "-k", folder, "-c", "fsync=off"],
      readyTexts: ["ready to accept connections"],
      as,
      // Fast shutdown, which also ends its child processes.
      stopSignal: "SIGINT",
    };
  });
  return { ...server, port };
}

/** The user to run as, because PostgreSQL refuses to run as root. */
function unprivileged(): { uid: number; gid: number } | undefined {
  if (process.getuid?.() !== 0) return undefined;
  const idOf = (flag: string, user: string): number =>
    Number(execFileSync("id", [flag, user], { encoding: "utf8", stdio: "pipe" }));
  for (const user of ["postgres", "nobody"]) {
    try {
      return { uid: idOf("-u", user), gid: idOf("-g", user) };
    } catch {
      // The system does not have this user; try the next.
    }
  }
  throw new Error(
    "PostgreSQL does not run as root, and the system has no other user to run it as: create one named postgres",
  );
}

/** Debian installs PostgreSQL's programs outside of PATH, in one folder for each version. */
function debianFolders(): string[] {
  const debian = "/usr/lib/postgresql";
  try {
    return readdirSync(debian).map((version) => join(debian, version, "bin"));
  } catch {
    return [];
  }
}
