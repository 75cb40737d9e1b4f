import { type SpawnOptions, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { bundleProgram } from "@tercel/test-support/bundled-programs";
import type { ServiceName } from "./development-secret.ts";

/** A record that a process of the shop has logged. */
export type LogRecord = Record<string, unknown> & { readonly message?: string };

/** A process of the shop under test. */
export interface ShopProcess {
  readonly pid: number;
  /** Everything written to standard output and, apart from log records, to standard error so far. */
  text(): string;
  /** All records so far. */
  records(): readonly LogRecord[];
  /** The n-th record (the first by default) that matches; fails if the process ends without having logged it. */
  record(matches: Partial<LogRecord>, nth?: number): Promise<LogRecord>;
  /** The n-th match (the first by default) in standard output and error together; fails if the process ends without it. */
  says(pattern: RegExp, nth?: number): Promise<RegExpExecArray>;
  signal(name: NodeJS.Signals): void;
  /** The exit code, or the signal that ended the process. */
  readonly ended: Promise<number | NodeJS.Signals | null>;
}

/** The folder of a service, where its program runs and finds its configuration. */
export function folderOf(service: ServiceName): string {
  return fileURLToPath(new URL(`../src/${service}`, import.meta.url));
}

/** The command line that runs a service, bundled, with this process's own Node. */
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

/** Starts a command that becomes a process of the shop, or starts some. */
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

/** Ends a process that a test has left running; one that has ended is left alone. */
export async function endShopProcess(shop: ShopProcess): Promise<void> {
  shop.signal("SIGKILL");
  await shop.ended;
}

/** Whether a process still runs. One that has ended but that no one has waited for, a zombie, does not. */
export function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch {
    return false;
  }
  if (process.platform !== "linux") return true;
  try {
    // The state follows the program's name, which is in parentheses.
    return !/\) Z /.test(readFileSync(`/proc/${pid}/stat`, "latin1"));
  } catch {
    return false;
  }
}

/** Settles when a process that is not this one's child has ended; the test's own timeout bounds it. */
export async function untilEnded(pid: number): Promise<void> {
  while (isRunning(pid)) await new Promise((resolve) => setTimeout(resolve, 10));
}
