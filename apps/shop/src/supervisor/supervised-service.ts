import { type ChildProcess, fork } from "node:child_process";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import type { Log } from "../log/json-log.ts";
import { isServiceReport, type StopRequest } from "../service/parent-messages.ts";
import { createDeferred } from "./deferred.ts";
import type { RestartPolicy } from "./restart-policy.ts";

/** A service as the supervisor knows it. */
export interface ServiceSpec {
  readonly name: string;
  /** The program, run by the same Node with the same flags as this process. */
  readonly entryPath: string;
  /** Its arguments. `address` is where it listened before, so that a free port that was picked once is kept. */
  args(address: string | undefined): readonly string[];
}

/** What the supervised service needs from around it. */
export interface SupervisionContext {
  readonly log: Log;
  readonly policy: RestartPolicy;
  /** Takes what the service writes, line by line. */
  relayLine(line: string): void;
  /** How long a stop may take; 12,000 ms by default, longer than a service's own deadline of 10 s for its last calls. */
  readonly killAfterMs?: number;
}

/** A service that is kept running as a process of its own. */
export interface SupervisedService {
  /**
   * Starts the service; settles with its address once it listens. From then on it is started again whenever it ends.
   *
   * @throws Error when it ends before it listens, which is not tried again: the person who started it is still looking.
   */
  start(): Promise<string>;
  /** Ends the service gracefully, or by force once `killAfterMs` is over; settles when its process is gone. */
  stop(): Promise<void>;
  /** Ends the process without waiting for anything. */
  kill(): void;
}

/** Creates a service's supervision; nothing runs before `start`. */
export function createSupervisedService(spec: ServiceSpec, context: SupervisionContext): SupervisedService {
  const { log, policy, relayLine } = context;
  const killAfterMs = context.killAfterMs ?? 12_000;
  let child: ChildProcess | undefined;
  let address: string | undefined;
  let problem: string | undefined;
  let stopping = false;
  let restartTimer: NodeJS.Timeout | undefined;
  const firstStart = createDeferred<string>();
  const gone = createDeferred<void>();

  function launch(): void {
    problem = undefined;
    const launched = fork(spec.entryPath, spec.args(address), { stdio: ["ignore", "pipe", "pipe", "ipc"] });
    child = launched;
    if (launched.stdout) relay(launched.stdout, spec.name, relayLine);
    if (launched.stderr) relay(launched.stderr, spec.name, relayLine);
    launched.on("message", (message) => {
      if (!isServiceReport(message)) return;
      if (message.event === "start_failed") problem = message.problem;
      if (message.event === "listening") {
        address = message.address;
        policy.listening(performance.now());
        firstStart.resolve(address);
      }
    });
    // Neither a process that could not be created nor a message that could not be delivered may end the supervisor.
    launched.on("error", (error) => {
      problem ??= error.message;
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
      firstStart.reject(new Error(`${spec.name} did not start: ${problem ?? how}`));
      gone.resolve();
      return;
    }
    const delayMs = policy.ended(performance.now());
    log.warn("service_ended", { name: spec.name, how: problem ?? how, restartInMs: delayMs });
    restartTimer = setTimeout(launch, delayMs);
  }

  return {
    start() {
      if (stopping) firstStart.reject(new Error(`${spec.name} was stopped before it listened`));
      else launch();
      return firstStart.promise;
    },

    async stop() {
      stopping = true;
      clearTimeout(restartTimer);
      if (child === undefined) {
        gone.resolve();
        return;
      }
      const request: StopRequest = { event: "stop" };
      // The service may be ending by itself at this very moment; its "close" then settles the matter.
      if (child.connected) child.send(request, () => {});
      const killTimer = setTimeout(() => {
        log.warn("service_killed", { name: spec.name, afterMs: killAfterMs });
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

/** Passes lines on. Log records say themselves whose they are; anything else, a crash of Node for example, is marked. */
function relay(stream: Readable, name: string, relayLine: (line: string) => void): void {
  const lines = createInterface({ input: stream, crlfDelay: Number.POSITIVE_INFINITY });
  lines.on("line", (line) => relayLine(line.startsWith("{") ? line : `[${name}] ${line}`));
}
