import { type ChildProcess, fork } from "node:child_process";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { fileURLToPath } from "node:url";
import type { RestartPolicy } from "./restart-policy.ts";

/** A service as the supervisor knows it. */
export interface ServiceSpec {
  readonly name: string;
  /** The program, run by the same Node as this process. */
  readonly entryPath: string;
  /** Where it runs. Default: where this process does. */
  readonly cwd?: string;
  /** Added to this process's variables. */
  readonly env?: Readonly<Record<string, string>>;
  /** Its arguments. `address` is where it listened before, so that a free port that was picked once is kept. */
  args(address: string | undefined): readonly string[];
}

/** What the supervised service needs from around it. */
export interface SupervisionContext {
  readonly policy: RestartPolicy;
  /** Takes what the service writes, and what is to be said about it, line by line. */
  relayLine(line: string): void;
  /** How long a stop may take; 12,000 ms by default, longer than a service's own `drain` of 10 s for its last calls. */
  readonly killAfterMs?: number;
}

/** Where a service listens. */
export interface ReadyReport {
  readonly address: string;
  /** Of REST, Connect and gRPC-Web. */
  readonly http?: string;
}

/** A service that is kept running as a process of its own. */
export interface SupervisedService {
  /**
   * Starts the service; settles with where it listens. From then on it is started again whenever it ends.
   *
   * @throws Error when it ends before it listens, which is not tried again: the person who started it is still looking.
   */
  start(): Promise<ReadyReport>;
  /** Ends the service gracefully, or by force once `killAfterMs` is over; settles when its process is gone. */
  stop(): Promise<void>;
  /** Ends the process without waiting for anything. */
  kill(): void;
}

const endWithParent = new URL("./end-with-parent.ts", import.meta.url).href;
/** Of what a service says when it cannot start. */
const keptProblemChars = 4_000;

/** Creates a service's supervision; nothing runs before `start`. */
export function createSupervisedService(spec: ServiceSpec, context: SupervisionContext): SupervisedService {
  const { policy, relayLine } = context;
  const killAfterMs = context.killAfterMs ?? 12_000;
  let child: ChildProcess | undefined;
  let address: string | undefined;
  let problem = "";
  let stopping = false;
  let restartTimer: NodeJS.Timeout | undefined;
  const firstStart = Promise.withResolvers<ReadyReport>();
  const gone = Promise.withResolvers<void>();
  // Whoever does not wait for the start learns of its failure by the stop.
  firstStart.promise.catch(() => {});

  function warn(message: string, fields: object): void {
    const time = new Date().toISOString();
    relayLine(JSON.stringify({ time, level: "warn", message, service: "shop", name: spec.name, ...fields }));
  }

  /** Log records say themselves whose they are; anything else, a crash of Node for example, is marked. */
  function relay(line: string): void {
    relayLine(line.startsWith("{") ? line : `[${spec.name}] ${line}`);
  }

  function launch(): void {
    problem = "";
    const launched = fork(spec.entryPath, spec.args(address), {
      stdio: ["ignore", "pipe", "pipe", "ipc"],
      // A terminal's Ctrl-C is for the supervisor alone: two signals would mean force.
      detached: true,
      env: { ...process.env, ...spec.env },
      execArgv: [...process.execArgv.filter((arg) => arg.startsWith("--conditions")), `--import=${endWithParent}`],
      ...(spec.cwd !== undefined && { cwd: spec.cwd }),
    });
    child = launched;
    eachLine(launched.stdout, (line) => {
      const ready = readyReportOf(line);
      if (ready !== undefined) {
        address = ready.address;
        policy.listening(performance.now());
        firstStart.resolve(ready);
      }
      relay(line);
    });
    eachLine(launched.stderr, (line) => {
      if (!line.startsWith("{")) problem = `${problem}${problem === "" ? "" : "\n"}${line}`.slice(-keptProblemChars);
      relay(line);
    });
    // Neither a process that could not be created nor a message that could not be delivered may end the supervisor.
    launched.on("error", (error) => {
      problem ||= error.message;
      if (launched.pid === undefined) ended(launched, "no process");
    });
    // "close" comes after the last line of output was read, "exit" may not.
    launched.on("close", (code, signal) => ended(launched, signal === null ? `exit code ${code}` : `signal ${signal}`));
  }

  function ended(launched: ChildProcess, how: string): void {
    // A process that could not be created may be reported by "error" and by "close".
    if (child !== launched) return;
    child = undefined;
    if (stopping) {
      firstStart.reject(new Error(`${spec.name} was stopped before it listened`));
      gone.resolve();
      return;
    }
    if (address === undefined) {
      stopping = true;
      firstStart.reject(new Error(`${spec.name} did not start: ${problem || how}`));
      gone.resolve();
      return;
    }
    const delayMs = policy.ended(performance.now());
    warn("a service ended", { how, ...(problem !== "" && { problem }), restartInMs: delayMs });
    restartTimer = setTimeout(launch, delayMs);
  }

  return {
    start() {
      if (stopping) firstStart.reject(new Error(`${spec.name} was stopped before it listened`));
      else launch();
      return firstStart.promise;
    },

    async stop() {
      const isFirst = !stopping;
      stopping = true;
      clearTimeout(restartTimer);
      if (child === undefined) {
        gone.resolve();
        return;
      }
      if (isFirst) child.kill("SIGTERM");
      const killTimer = setTimeout(() => {
        warn("a service did not end and is killed", { afterMs: killAfterMs });
        child?.kill("SIGKILL");
      }, killAfterMs);
      await gone.promise;
      clearTimeout(killTimer);
    },

    kill() {
      stopping = true;
      clearTimeout(restartTimer);
      child?.kill("SIGKILL");
    },
  };
}

/** The program of a service of this shop. */
export function entryPathOf(name: string): string {
  return fileURLToPath(new URL(`../${name}/main.ts`, import.meta.url));
}

/** The service kit says by a line of its log that a service listens. */
function readyReportOf(line: string): ReadyReport | undefined {
  if (!line.startsWith('{"') || !line.includes('"ready"')) return undefined;
  try {
    const { message, address, http } = JSON.parse(line) as Record<string, unknown>;
    if (message !== "ready" || typeof address !== "string") return undefined;
    return { address, ...(typeof http === "string" && { http }) };
  } catch {
    return undefined;
  }
}

function eachLine(stream: Readable | null, take: (line: string) => void): void {
  if (stream === null) return;
  createInterface({ input: stream, crlfDelay: Number.POSITIVE_INFINITY }).on("line", take);
}
