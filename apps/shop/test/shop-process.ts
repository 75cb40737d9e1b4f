import { type SpawnOptions, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { bundleProgram } from "@tercel/test-support/bundled-programs";
import type { ServiceName } from "./development-secret.ts";

/** A log record of a process of the shop. */
export type LogRecord = Record<string, unknown> & { readonly message?: string };

/** A process of the shop under test. */
export interface ShopProcess {
  readonly pid: number;
  /** The text on standard output and, without log records, on standard error so far. */
  text(): string;
  /** All records so far. */
  records(): readonly LogRecord[];
  /** Resolves to the n-th matching record (default: the first). Rejects if the process ends without it. */
  record(matches: Partial<LogRecord>, nth?: number): Promise<LogRecord>;
  /** Resolves to the n-th match (default: the first) in standard output and error together. Rejects if the process ends without it. */
  says(pattern: RegExp, nth?: number): Promise<RegExpExecArray>;
  signal(name: NodeJS.Signals): void;
  /** The exit code, or the signal that ended the process. */
  readonly ended: Promise<number | NodeJS.Signals | null>;
}

/** Returns the folder of a service, which is its working directory and has its configuration. */
export function folderOf(service: ServiceName): string {
  return fileURLToPath(new URL(`../src/${service}`, import.meta.url));
}

/** Returns the command line of a service, bundled, with the Node of this process. */
export function serviceCommand(service: ServiceName, args: readonly string[]): string[] {
  return [process.execPath, bundleProgram(join(folderOf(service), "main.ts")), ...args];
}

/** Starts a service. */
export function startServiceProcess(
  service: ServiceName,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): ShopProcess {
  return watchShopProcess(serviceCommand(service, args), { cwd: folderOf(service), env: { ...process.env, ...env } });
}

/** Starts a command that is a process of the shop, or starts some. */
export function watchShopProcess(command: readonly string[], options: SpawnOptions = {}): ShopProcess {
  const [file = "", ...args] = command;
  const child = spawn(file, args, { ...options, stdio: ["ignore", "pipe", "pipe"] });
  const records: LogRecord[] = [];
  let text = "";
  let over = false;
  let wake: () => void = () => {};
  let changed = new Promise<void>((resolve) => {
    wake = resolve;
  });
  const announce = () => {
    wake();
    changed = new Promise((resolve) => {
      wake = resolve;
    });
  };
  for (const stream of [child.stdout, child.stderr]) {
    createInterface({ input: stream }).on("line", (line) => {
      if (line.startsWith("{")) records.push(JSON.parse(line));
      else text += `${line}\n`;
      announce();
    });
  }
  const ended = once(child, "close").then(([code, signal]) => {
    over = true;
    announce();
    return code ?? signal;
  });

  async function until<Value>(find: () => Value | undefined, wanted: string): Promise<Value> {
    for (;;) {
      const found = find();
      if (found !== undefined) return found;
      if (over)
        throw new Error(
          `the process ended without ${wanted}:\n${text}${records.map((r) => JSON.stringify(r)).join("\n")}`,
        );
      await changed;
    }
  }

  return {
    pid: child.pid ?? 0,
    text: () => text,
    records: () => records,
    record: (matches, nth = 1) =>
      until(
        () =>
          records.filter((record) => Object.entries(matches).every(([name, value]) => record[name] === value))[nth - 1],
        JSON.stringify(matches),
      ),
    says: (pattern, nth = 1) =>
      until(() => [...text.matchAll(new RegExp(pattern, `${pattern.flags}g`))][nth - 1], String(pattern)),
    signal: (name) => void child.kill(name),
    ended,
  };
}

/** Ends a process that a test left running, if it still runs. */
export async function endShopProcess(shop: ShopProcess): Promise<void> {
  shop.signal("SIGKILL");
  await shop.ended;
}

/** Returns whether a process runs. A zombie does not. */
export function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch {
    return false;
  }
  if (process.platform !== "linux") return true;
  try {
    // The state follows the program's name in parentheses.
    return !/\) Z /.test(readFileSync(`/proc/${pid}/stat`, "latin1"));
  } catch {
    return false;
  }
}

/** Resolves when a process has ended that is not a child of this process. The timeout of the test applies. */
export async function untilEnded(pid: number): Promise<void> {
  while (isRunning(pid)) await new Promise((resolve) => setTimeout(resolve, 10));
}
