import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { accessSync, chownSync, constants, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";

/** A server that was started for a test. */
export interface ServerProcess {
  readonly port: number;
  /** Ends it and removes its folder. */
  dispose(): Promise<void>;
}

export const redisProgram = find("redis-server", pathFolders());

/** Debian keeps these out of the path, a folder for each version. */
export const postgresFolder = postgresFolders().find(
  (folder) => find("initdb", [folder]) !== undefined && find("postgres", [folder]) !== undefined,
);

export function startRedis(): Promise<ServerProcess> {
  return start((folder, port) => ({
    program: redisProgram as string,
    args: ["--port", String(port), "--bind", "127.0.0.1", "--dir", folder, "--save", "", "--appendonly", "no"],
    isReady: "Ready to accept connections",
  }));
}

/** PostgreSQL with a user and a database "postgres" that need no password. */
export function startPostgres(): Promise<ServerProcess> {
  return start((folder, port) => {
    const as = unprivileged();
    if (as !== undefined) chownSync(folder, as.uid, as.gid);
    const data = join(folder, "data");
    const initdb = join(postgresFolder as string, "initdb");
    const init = ["-D", data, "-U", "postgres", "-A", "trust", "--no-sync", "--encoding=UTF8", "--locale=C"];
    execFileSync(initdb, init, { stdio: "ignore", cwd: folder, ...as });
    return {
      program: join(postgresFolder as string, "postgres"),
      args: ["-D", data, "-p", String(port), "-h", "127.0.0.1", "-k", folder, "-c", "fsync=off"],
      isReady: "ready to accept connections",
      as,
    };
  });
}

interface Command {
  readonly program: string;
  readonly args: readonly string[];
  /** What it prints when it listens. */
  readonly isReady: string;
  readonly as?: { readonly uid: number; readonly gid: number } | undefined;
}

async function start(commandIn: (folder: string, port: number) => Command): Promise<ServerProcess> {
  const folder = mkdtempSync(join(tmpdir(), "tercel-interceptors-"));
  const port = await freePort();
  try {
    const { program, args, isReady, as } = commandIn(folder, port);
    const child = spawn(program, args, { cwd: folder, stdio: ["ignore", "pipe", "pipe"], ...as });
    await printed(child, program, isReady);
    return {
      port,
      async dispose() {
        const ended = child.exitCode === null && child.signalCode === null ? once(child, "exit") : undefined;
        // PostgreSQL's fast shutdown, which takes its children along; Redis ends by it as well.
        child.kill("SIGINT");
        await ended;
        rmSync(folder, { recursive: true, force: true });
      },
    };
  } catch (error) {
    rmSync(folder, { recursive: true, force: true });
    throw error;
  }
}

function printed(child: ChildProcess, program: string, text: string): Promise<void> {
  return new Promise((resolve, reject) => {
    let output = "";
    const read = (chunk: Buffer): void => {
      output = (output + chunk.toString()).slice(-10_000);
      if (output.includes(text)) resolve();
    };
    child.stdout?.on("data", read);
    child.stderr?.on("data", read);
    child.once("error", reject);
    child.once("exit", (code) => reject(new Error(`${program} ended with exit code ${code}:\n${output}`)));
  });
}

/** PostgreSQL refuses to run as root. */
function unprivileged(): { uid: number; gid: number } | undefined {
  if (process.getuid?.() !== 0) return undefined;
  const idOf = (flag: string, user: string): number =>
    Number(execFileSync("id", [flag, user], { encoding: "utf8", stdio: "pipe" }));
  for (const user of ["postgres", "nobody"]) {
    try {
      return { uid: idOf("-u", user), gid: idOf("-g", user) };
    } catch {
      // There is no such user; the next may be.
    }
  }
  throw new Error("neither a user postgres nor nobody is there to run PostgreSQL as");
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as { port: number };
  await once(server.close(), "close");
  return port;
}

function pathFolders(): string[] {
  return (process.env.PATH ?? "").split(delimiter);
}

function postgresFolders(): string[] {
  const debian = "/usr/lib/postgresql";
  try {
    return [...readdirSync(debian).map((version) => join(debian, version, "bin")), ...pathFolders()];
  } catch {
    return pathFolders();
  }
}

function find(name: string, folders: readonly string[]): string | undefined {
  return folders
    .map((folder) => join(folder, name))
    .find((path) => {
      try {
        accessSync(path, constants.X_OK);
        return true;
      } catch {
        return false;
      }
    });
}
