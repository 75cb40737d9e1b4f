import { type ChildProcess, spawn } from "node:child_process";
import { setTimeout as delay } from "node:timers/promises";
import { LineSplitter } from "../output/line-splitter.ts";
import { canConnect } from "./can-connect.ts";
import { isServedBy, type PortOwner, portOwners } from "./port-owner.ts";

/** A command that starts a program: Node with a file. */
export interface ServiceCommand {
  readonly main: string;
  readonly folder: string;
  /** Arguments of the program. */
  readonly args: readonly string[];
  /** Arguments of Node, before the file. */
  readonly nodeArgs: readonly string[];
  readonly variables: Readonly<Record<string, string | undefined>>;
}

/** Where a service listens. */
export interface Address {
  readonly host: string;
  readonly port: number;
}

/** Receives the lines that a process prints. */
export interface ProcessOutput {
  stdout(line: string): void;
  stderr(line: string): void;
}

/** The exit code or signal of a process. */
export interface ProcessEnd {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** Interval between attempts to connect to a starting service. */
const pollMs = 25;
/** Time from SIGTERM to SIGKILL: a service drains for two seconds and closes its resources, which is slow on a busy machine. */
const killAfterMs = 10_000;

/** The process of a running service. */
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
   * Resolves to true when the process, or a child of it, accepts connections at the address, and to false when it ends before.
   *
   * @param onOther called once when another process listens there
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

  /** Lets the process drain, and kills it when that takes too long. Resolves to false if it was killed. */
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

  /** Kills the process and its child processes. */
  kill(): void {
    const { pid } = this.#child;
    if (pid === undefined || this.hasEnded) return;
    try {
      // The process leads its own process group.
      process.kill(process.platform === "win32" ? pid : -pid, "SIGKILL");
    } catch {
      // The process has ended in the meantime.
    }
  }
}

/** The result of checking a program. */
export interface CheckResult {
  readonly isGood: boolean;
  /** All output of the program. */
  readonly output: string;
}

/** A program that takes longer does not support the argument. */
const checkTimeoutMs = 60_000;
const maxCheckOutput = 64 * 1024;

/**
 * Loads the program and its configuration without serving, by its own `--check-config`. This finds syntax errors, missing imports, exceptions
 * at load time and invalid configuration while the previous process still serves.
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
    const problem = `the program did not exit with --check-config: run it with runService of @tercel/service`;
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
    // Ctrl-C of the terminal would reach it too, in addition to our signal, and a second signal ends the draining.
    detached: process.platform !== "win32",
  });
}

/** Makes services exit when this program is gone, as they do when started by npm. */
const watchedBy = { npm_lifecycle_event: process.env.npm_lifecycle_event ?? "dev" } as const;

function endOf(child: ChildProcess): Promise<ProcessEnd> {
  return new Promise((resolve) => {
    // "close" is emitted when all output is read, but not if the program cannot be started.
    child.once("close", (code, signal) => resolve({ code, signal }));
    child.once("error", () => resolve({ code: 1, signal: null }));
  });
}
