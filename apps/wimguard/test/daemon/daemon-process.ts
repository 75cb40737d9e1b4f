import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { buildProgram } from "@tercel/test-support/built-programs";
import { connect, type WimGuard } from "../../src/client/connect.ts";
import { configPath } from "../../src/config/data-folder.ts";
import { loadConfig } from "../../src/config/load-config.ts";
import { mintToken, type Role } from "../../src/token/token.ts";
import { afterwards, type CleanupContext } from "./cleanup.ts";
import { LineLog } from "./line-log.ts";

const bundler = join(import.meta.dirname, "../../bundle/build.ts");

/** The command line with which this process's own Node runs wimguard, built as it is published. */
export function wimguardCommand(...args: readonly string[]): string[] {
  const built = buildProgram("wimguard", (folder) => {
    execFileSync(process.execPath, [bundler, folder], { stdio: ["ignore", "ignore", "pipe"] });
  });
  return [process.execPath, join(built, "command/main.js"), ...args];
}

/** A daemon of a test, in folders of its own. */
export interface TestDaemon {
  readonly address: string;
  readonly pid: number;
  readonly client: WimGuard;
  readonly folders: DaemonFolders;
  readonly log: LineLog;
  signal(name: NodeJS.Signals): void;
  /** Its exit code, or the signal that ended it. */
  readonly ended: Promise<number | NodeJS.Signals | null>;
}

/** Folders that survive a daemon: it can be started again over them. */
export interface DaemonFolders {
  readonly data: string;
  readonly source: string;
  readonly destinations: string;
}

export interface DaemonStart {
  readonly folders?: DaemonFolders;
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** The user it runs as. */
  readonly uid?: number;
  /** What runs the daemon, in front of its command. */
  readonly wrapper?: readonly string[];
  /** Default: the program that is built from these sources. */
  readonly program?: string;
}

/** Makes the folders of a daemon; they are removed after the test. */
export function makeFolders(context: CleanupContext): DaemonFolders {
  const root = mkdtempSync(join(tmpdir(), "tercel-wimguard-"));
  afterwards(context, () => rmSync(root, { recursive: true, force: true }));
  const folders = { data: join(root, "data"), source: join(root, "source"), destinations: join(root, "destinations") };
  for (const folder of Object.values(folders)) mkdirSync(folder);
  return folders;
}

/** Starts a daemon on a free port and connects to it. It ends with the test at the latest. */
export async function startDaemon(context: CleanupContext, start: DaemonStart = {}): Promise<TestDaemon> {
  const folders = start.folders ?? makeFolders(context);
  const started = spawnDaemon(folders, start);
  afterwards(context, async () => {
    started.child.kill("SIGKILL");
    await started.ended;
  });
  const address = await started.listening;
  const client = await connect(address, { folder: folders.data });
  afterwards(context, () => client.close());
  const { child, ended, log } = started;
  return {
    address,
    pid: child.pid ?? 0,
    client,
    folders,
    log,
    signal: (name) => void child.kill(name),
    ended,
  };
}

interface SpawnedDaemon {
  readonly child: ChildProcess;
  readonly listening: Promise<string>;
  readonly ended: Promise<number | NodeJS.Signals | null>;
  readonly log: LineLog;
}

export function spawnDaemon(
  { data }: DaemonFolders,
  { args = [], env = {}, uid, wrapper = [], program }: DaemonStart,
): SpawnedDaemon {
  const words = ["server", "--port=0", "--dir", data, ...args];
  const command = program === undefined ? wimguardCommand(...words) : [process.execPath, program, ...words];
  const [first = "", ...rest] = [...wrapper, ...command];
  const child = spawn(first, rest, {
    env: { ...process.env, ...env },
    stdio: ["ignore", "pipe", "pipe"],
    ...(uid !== undefined && { uid, gid: uid }),
  });
  const log = new LineLog();
  child.stderr.on("data", (chunk) => log.add(String(chunk)));
  const ended = once(child, "close").then(([code, signal]) => (code ?? signal) as number | NodeJS.Signals | null);
  const listening = new Promise<string>((resolve, reject) => {
    createInterface({ input: child.stdout }).on("line", (line) => {
      const address = /^listening on (\S+)$/.exec(line)?.[1];
      if (address !== undefined) resolve(address);
    });
    void ended.then((code) => reject(new Error(`the daemon ended with ${code}:\n${log.text}`)));
  });
  listening.catch(() => {});
  return { child, listening, ended, log };
}

/** A token of a daemon. */
export async function tokenOf(
  { data }: DaemonFolders,
  role: Role = "admin",
  ttlMs = 60_000,
  nowMs = Date.now(),
): Promise<string> {
  return mintToken(await loadConfig(configPath(data)), { role, ttlMs, nowMs });
}
