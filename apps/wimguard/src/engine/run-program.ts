import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import type { Readable, Writable } from "node:stream";
import { fail, throwIfCancelled } from "../failure/failure.ts";
import { toFailure } from "../failure/to-failure.ts";

/** How an engine's program is started. */
export interface ProgramStart {
  readonly engine: string;
  readonly program: string;
  readonly args: readonly string[];
  readonly folder?: string;
  /** Default: the daemon's. */
  readonly env?: NodeJS.ProcessEnv;
  /** What asks the program to end. Default: SIGTERM. */
  readonly stopSignal?: NodeJS.Signals;
  readonly onStart?: (pid: number) => void;
  /** Gets each line of standard error. */
  readonly onErrorLine?: (line: string) => void;
  /** Writes what the program reads; it reads nothing without it. */
  readonly feed?: (stdin: Writable) => Promise<void>;
  /** Reads what the program writes. It must read to the end. */
  readonly read: (stdout: Readable) => Promise<void>;
}

/** How a program ended by itself. */
export interface ProgramEnd {
  readonly code: number;
  /** The last lines of standard error. */
  readonly lastLines: readonly string[];
}

const keptLines = 20;
const maxLineCharacters = 4096;
/** After the stop signal; then SIGKILL, which no program can refuse. */
const killAfterMs = 5_000;
/** A program that neither reads nor writes for this long is stuck, on a network file system for example. */
const stuckAfterMs = 30 * 60_000;

/**
 * Runs an engine's program to its end.
 *
 * @throws FailureError ENGINE_DIED when a signal from elsewhere ends it or it is stuck, ENGINE_MISSING when it cannot be started,
 * CANCELLED when the signal aborts; the program has ended in any case
 */
export async function runProgram(start: ProgramStart, signal: AbortSignal): Promise<ProgramEnd> {
  throwIfCancelled(signal);
  const { engine, program, args, folder, onErrorLine } = start;
  // Messages are parsed, so their language has to be known. C.UTF-8 would let names through that are not ASCII; tar quotes them in C.
  const env = { ...(start.env ?? process.env), LC_ALL: engine === "tar" ? "C" : "C.UTF-8", TZ: "UTC" };
  const child = spawn(program, args, { cwd: folder, env, stdio: ["pipe", "pipe", "pipe"] });
  if (child.pid !== undefined) start.onStart?.(child.pid);
  const lastLines: string[] = [];
  createInterface({ input: child.stderr }).on("line", (line) => {
    const kept = line.slice(0, maxLineCharacters);
    lastLines.push(kept);
    if (lastLines.length > keptLines) lastLines.shift();
    onErrorLine?.(kept);
  });
  const ended = new Promise<{ code: number | null; signal: NodeJS.Signals | null }>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code, endSignal) => resolve({ code, signal: endSignal }));
  });
  ended.catch(() => {});
  const stopWatching = endOnAbort(child, start.stopSignal ?? "SIGTERM", signal);
  let isStuck = false;
  const watch = watchActivity(child, () => {
    isStuck = true;
    child.kill("SIGKILL");
  });
  // What fails first ends the others: a reader that stops would leave the program waiting for room in its pipe.
  let problem: unknown;
  const guard = (work: Promise<void>): Promise<void> =>
    work.catch((error) => {
      problem ??= error;
      child.kill("SIGKILL");
    });
  child.stdin.on("error", () => {});
  try {
    const fed = start.feed === undefined ? endOf(child.stdin) : guard(start.feed(child.stdin));
    const [end] = await Promise.all([ended, guard(start.read(child.stdout)), fed]);
    throwIfCancelled(signal);
    if (problem !== undefined) throw problem;
    const described = lastLines.length === 0 ? "" : `: ${lastLines.join("; ")}`;
    if (isStuck)
      fail({
        reason: "ENGINE_DIED",
        engine,
        message: `${program} did nothing for 30 minutes and was ended${described}`,
      });
    if (end.code === null)
      fail({ reason: "ENGINE_DIED", engine, message: `${program} was ended by ${end.signal}${described}` });
    return { code: end.code, lastLines };
  } catch (error) {
    throwIfCancelled(signal);
    if ((error as NodeJS.ErrnoException).syscall?.startsWith("spawn") !== true) throw error;
    fail(
      { reason: "ENGINE_MISSING", engine, message: `${program} cannot be started: ${toFailure(error).message}` },
      error,
    );
  } finally {
    stopWatching();
    watch();
  }
}

async function endOf(stdin: Writable): Promise<void> {
  stdin.end();
}

function endOnAbort(child: ChildProcess, stopSignal: NodeJS.Signals, signal: AbortSignal): () => void {
  let timer: NodeJS.Timeout | undefined;
  const onAbort = (): void => {
    child.kill(stopSignal);
    timer = setTimeout(() => child.kill("SIGKILL"), killAfterMs);
  };
  signal.addEventListener("abort", onAbort, { once: true });
  return () => {
    signal.removeEventListener("abort", onAbort);
    clearTimeout(timer);
  };
}

/** One timer that is started again by whatever the program writes. */
function watchActivity(child: ChildProcess, onStuck: () => void): () => void {
  const timer = setTimeout(onStuck, stuckAfterMs);
  for (const stream of [child.stdout, child.stderr]) stream?.on("data", () => timer.refresh());
  return () => clearTimeout(timer);
}
