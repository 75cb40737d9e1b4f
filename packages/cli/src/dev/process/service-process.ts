import { type ChildProcess, spawn } from "node:child_process";
import { setTimeout as delay } from "node:timers/promises";
import { LineSplitter } from "../output/line-splitter.ts";
import { canConnect } from "./can-connect.ts";
import { isServedBy, type PortOwner, portOwners } from "./port-owner.ts";

/** A program to start: Node with a file. */
export interface ServiceCommand {
  readonly main: string;
  readonly folder: string;
  /** Of the program. */
  readonly args: readonly string[];
  /** Of Node, before the file. */
  readonly nodeArgs: readonly string[];
  readonly variables: Readonly<Record<string, string | undefined>>;
}

/** Where a service listens. */
export interface Address {
  readonly host: string;
  readonly port: number;
}

/** Gets the lines that a process prints. */
export interface ProcessOutput {
  stdout(line: string): void;
  stderr(line: string): void;
}

/** How a process has ended. */
export interface ProcessEnd {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** Between two tries to connect to a service that starts. */
const pollMs = 25;
/** After SIGTERM a service drains for two seconds and closes what it has open, which takes its time on a busy machine. */
const killAfterMs = 10_000;

/** A service that runs, as a process of its own. */
export class ServiceProcess {
  readonly ended: Promise<ProcessEnd>;
  readonly #child: ChildProcess;
  #end: ProcessEnd | undefined;

  constructor(command: ServiceCommand, output: ProcessOutput) {
    this.#child = startNode(command);
    for (const name of ["stdout", "stderr"] as const) {
      const lines = new LineSplitter((line) => output[name](line));
      const stream = this.#child[name];
      stream?.setEncoding("utf8").on("data", (text: string) => lines.push(text));
      stream?.once("end", () => lines.end());
    }
    this.ended = endOf(this.#child).then((end) => {
      this.#end = end;
      return end;
    });
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  get hasEnded(): boolean {
    return this.#end !== undefined;
  }

  /**
   * Resolves to true when the process, or one that it has started, listens there, and to false when it has ended before.
   *
   * @param onOther called once when the one who listens is another
   */
  async listens(address: Address, onOther: (other: PortOwner | undefined) => void): Promise<boolean> {
    let isOtherKnown = false;
    while (!this.hasEnded) {
      if (await canConnect(address)) {
        // Where the system does not say whose the port is, a process that lives on is taken to be it.
        if ((await isServedBy(this.#child.pid ?? 0, address.port)) !== false) return !this.hasEnded;
        if (!isOtherKnown) onOther((await portOwners(address.port))?.[0]);
        isOtherKnown = true;
      }
      await Promise.race([delay(pollMs), this.ended]);
    }
    return false;
  }

  /** Lets it drain, and ends it when that takes too long. Resolves to false if it had to be ended. */
  async stop(): Promise<boolean> {
    if (this.hasEnded) return true;
    this.#child.kill("SIGTERM");
    const timer = new AbortController();
    const hasEnded = await Promise.race([
      this.ended.then(() => true),
      delay(killAfterMs, false, { signal: timer.signal }).catch(() => true),
    ]);
    timer.abort();
    if (hasEnded) return true;
    this.kill();
    await this.ended;
    return false;
  }

  /** Ends it at once, and with it the processes that it has started. */
  kill(): void {
    const { pid } = this.#child;
    if (pid === undefined || this.hasEnded) return;
    try {
      // It leads a group of its own.
      process.kill(process.platform === "win32" ? pid : -pid, "SIGKILL");
    } catch {
      // It has ended meanwhile.
    }
  }
}

/** What a check of a program came to. */
export interface CheckResult {
  readonly isGood: boolean;
  /** All that it printed. */
  readonly output: string;
}

/** A program that takes longer does not know the argument. */
const checkTimeoutMs = 60_000;
const maxCheckOutput = 64 * 1024;

/**
 * Loads the whole program and its configuration without serving, by its own `--check-config`: what does not compile, imports what is not
 * there, throws while it is loaded or has an invalid configuration is found here, while the process before it still serves.
 */
export async function checkProgram(command: ServiceCommand, signal: AbortSignal): Promise<CheckResult> {
  const child = startNode({ ...command, args: ["--check-config", ...command.args] });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding("utf8").on("data", (text: string) => {
      output = (output + text).slice(-maxCheckOutput);
    });
  }
  const kill = (): void => void child.kill("SIGKILL");
  signal.addEventListener("abort", kill, { once: true });
  const timer = setTimeout(kill, checkTimeoutMs);
  try {
    const { code } = await endOf(child);
    signal.throwIfAborted();
    if (code !== null) return { isGood: code === 0, output };
    const problem = `the program does not end with --check-config, which runService of @tercel/service takes`;
    return { isGood: false, output: problem };
  } finally {
    clearTimeout(timer);
    signal.removeEventListener("abort", kill);
  }
}

function startNode({ main, folder, args, nodeArgs, variables }: ServiceCommand): ChildProcess {
  return spawn(process.execPath, [...nodeArgs, main, ...args], {
    cwd: folder,
    env: { ...variables, ...watchedBy },
    stdio: ["ignore", "pipe", "pipe"],
    // A Ctrl-C of the terminal would reach it as well, next to the signal from here, and a second signal ends the draining.
    detached: process.platform !== "win32",
  });
}

/** Services end by themselves when what has started them is gone, if it is npm; this program counts as such. */
const watchedBy = { npm_lifecycle_event: process.env.npm_lifecycle_event ?? "dev" } as const;

function endOf(child: ChildProcess): Promise<ProcessEnd> {
  return new Promise((resolve) => {
    // "close" comes when the outputs are read to their end; it does not come where the program cannot be started.
    child.once("close", (code, signal) => resolve({ code, signal }));
    child.once("error", () => resolve({ code: 1, signal: null }));
  });
}
