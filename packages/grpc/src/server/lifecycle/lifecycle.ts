import { checkWholeNumber } from "../../call/check-number.ts";
import { type Clock, systemClock } from "../../call/clock.ts";
import { type Log, stderrLog } from "../../call/log.ts";
import { refuseUnknownOptions } from "../../call/unknown-option.ts";
import type { ListenAddress } from "../../transport/listen.ts";
import type { ListeningAt, ListenOptions, Server } from "../server.ts";
import { onStopSignals } from "../stop-signals.ts";

export interface LifecycleOptions {
  /**
   * Signals that stop the program: the first gracefully, a second one, half a second later or more, without further waiting.
   * Default SIGINT, SIGTERM and SIGHUP.
   */
  readonly signals?: readonly NodeJS.Signals[];
  /** Stops too when it aborts, with its reason. */
  readonly signal?: AbortSignal;
  /**
   * Between NOT_SERVING and the end of accepting calls, so that balancers hear of it first. Default 0: clients that hear
   * GOAWAY lose no call. Behind balancers that only ask the health from time to time, set the time they take.
   */
  readonly propagationMs?: number;
  /** How long calls may take to end once the server drains; then they are cancelled. Default 30,000. */
  readonly drainMs?: number;
  /** How long one resource may take to stop; then it is left behind and reported. Default 10,000. */
  readonly stopTimeoutMs?: number;
  /** Default: warnings and errors as JSON lines on standard error. */
  readonly log?: Log;
  /** For tests. */
  readonly clock?: Clock;
}

/** What a server takes along through its life. */
export interface ServeOptions {
  /** Its checks begin before the server listens, and everything is NOT_SERVING from the first moment of the stop. */
  readonly health?: { start(): Promise<void>; shutdown(): void; endWatches(): void };
  /** Makes the server known once it listens, at a registry for example. What it returns undoes that, before the drain. */
  readonly register?: (address: ListenAddress) => Promise<(() => unknown) | undefined>;
}

/** Handed to the set-up, which starts what the program consists of, in order. */
export interface Lifecycle {
  /**
   * Starts something and remembers how to stop it. Rejects with what `start` threw; what was started before is then stopped.
   * Once a stop was asked for, nothing more is started.
   */
  start<Resource>(
    name: string,
    start: () => Resource | Promise<Resource>,
    stop?: (resource: Resource) => unknown,
  ): Promise<Resource>;
  /** Starts a server last of all that its handlers need: it is the first to stop. */
  serve<Options extends ListenOptions>(
    server: Server,
    where: Options,
    options?: ServeOptions,
  ): Promise<ListeningAt<Options>>;
  /** Asks for a stop, as a signal does. */
  stop(reason: string): void;
  /** Aborts when a stop begins: for loops that run beside the server. */
  readonly signal: AbortSignal;
}

export interface LifecycleOutcome {
  /** What asked for the stop: a signal's name, or the reason that was given. */
  readonly reason: string;
  /** Whether a second signal cut the waiting short. */
  readonly forced: boolean;
  /** What failed on the way down, in order. */
  readonly problems: readonly Error[];
  /** For `process.exit`: 0 after a stop without problems and force, otherwise 1. */
  readonly exitCode: 0 | 1;
}

interface Started {
  readonly name: string;
  readonly stop: () => unknown;
  /** It ends by itself in a time of its own, which a second signal cuts short. */
  readonly keepsOwnTime: boolean;
}

const defaultDrainMs = 30_000;
const defaultStopTimeoutMs = 10_000;
/** After a second signal: long enough to close a file, too short to notice. */
const forcedStopTimeoutMs = 1_000;

/**
 * Runs a program from its start to its end. `setUp` starts the parts in order; a part that fails to start undoes those before
 * it, and the promise rejects with the failure. Otherwise the program runs until a signal or `stop`, and then stops in reverse
 * order: a server says NOT_SERVING, waits for that to be heard, leaves its registry, sends GOAWAY and drains, cancels
 * what is left, and then the resources follow.
 *
 * The promise resolves when all has stopped: `process.exit((await runLifecycle(…)).exitCode)`.
 */
export async function runLifecycle(
  setUp: (life: Lifecycle) => Promise<void>,
  options: LifecycleOptions = {},
): Promise<LifecycleOutcome> {
  checkLifecycleOptions(options);
  return new LifecycleRun(options).run(setUp);
}

class LifecycleRun implements Lifecycle {
  readonly #options: LifecycleOptions;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #started: Started[] = [];
  readonly #stopping = new AbortController();
  readonly #forcing = new AbortController();
  readonly #problems: Error[] = [];

  constructor(options: LifecycleOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#log = options.log ?? stderrLog;
  }

  get signal(): AbortSignal {
    return this.#stopping.signal;
  }

  stop(reason: string): void {
    if (this.signal.aborted) return;
    this.#log.info("stopping", { reason });
    this.#stopping.abort(reason);
  }

  async run(setUp: (life: Lifecycle) => Promise<void>): Promise<LifecycleOutcome> {
    const stopListening = onStopSignals({
      ...(this.#options.signals !== undefined && { signals: this.#options.signals }),
      nowMs: () => this.#clock.nowMs(),
      stop: (name) => this.stop(name),
      force: (name) => this.#force(name),
    });
    const { signal } = this.#options;
    const onAbort = (): void => this.stop(String(signal?.reason));
    signal?.addEventListener("abort", onAbort, { once: true });
    if (signal?.aborted === true) onAbort();
    try {
      await this.#setUp(setUp);
      await aborted(this.signal);
      await this.#stopAll();
      return this.#outcome();
    } finally {
      stopListening();
      signal?.removeEventListener("abort", onAbort);
    }
  }

  async start<Resource>(
    name: string,
    start: () => Resource | Promise<Resource>,
    stop: (resource: Resource) => unknown = () => {},
  ): Promise<Resource> {
    this.#refuseWhileStopping();
    const resource = await start();
    this.#started.push({ name, stop: () => stop(resource), keepsOwnTime: false });
    // Asked for meanwhile: what has just been started is stopped with the rest.
    this.#refuseWhileStopping();
    return resource;
  }

  async serve<Options extends ListenOptions>(
    server: Server,
    where: Options,
    options: ServeOptions = {},
  ): Promise<ListeningAt<Options>> {
    refuseUnknownOptions("serve", options, ["health", "register"]);
    const { health, register } = options;
    this.#refuseWhileStopping();
    // Undone in reverse: readiness, registration, server.
    this.#started.push({ name: "server", stop: () => this.#drain(server, health), keepsOwnTime: true });
    if (health !== undefined) await this.start("health checks", () => health.start());
    const address = await server.listen(where);
    if (register !== undefined) {
      await this.start(
        "registration",
        () => register(address),
        (undo) => undo?.(),
      );
    }
    this.#started.push({ name: "readiness", stop: () => this.#announceStop(health), keepsOwnTime: true });
    return address;
  }

  #refuseWhileStopping(): void {
    if (this.signal.aborted) throw new StoppedError();
  }

  async #setUp(setUp: (life: Lifecycle) => Promise<void>): Promise<void> {
    try {
      await setUp(this);
    } catch (error) {
      if (error instanceof StoppedError) return;
      this.#stopping.abort("the start failed");
      await this.#stopAll();
      throw error;
    }
  }

  #force(name: string): void {
    this.#log.warn("stopping at once", { reason: name });
    this.#forcing.abort(name);
  }

  async #announceStop(health: ServeOptions["health"]): Promise<void> {
    health?.shutdown();
    await this.#pause(this.#options.propagationMs ?? 0);
  }

  async #drain(server: Server, health: ServeOptions["health"]): Promise<void> {
    health?.endWatches();
    const closed = server.close({ deadlineMs: this.#options.drainMs ?? defaultDrainMs });
    const cut = (): void => void server.close({ deadlineMs: 0 });
    this.#forcing.signal.addEventListener("abort", cut, { once: true });
    if (this.#forcing.signal.aborted) cut();
    await closed;
  }

  async #stopAll(): Promise<void> {
    for (let part = this.#started.pop(); part !== undefined; part = this.#started.pop()) {
      try {
        await this.#withinTime(part);
      } catch (error) {
        const reason = error instanceof Error ? error.message : String(error);
        this.#log.error("a part did not stop", { part: part.name, error });
        this.#problems.push(new Error(`${part.name} did not stop: ${reason}`, { cause: error }));
      }
    }
  }

  async #withinTime({ stop, keepsOwnTime }: Started): Promise<void> {
    const stopped = new Promise((resolve) => resolve(stop()));
    if (keepsOwnTime) {
      await stopped;
      return;
    }
    const timers: (() => void)[] = [];
    const { signal } = this.#forcing;
    let limit: ((timeoutMs: number) => void) | undefined;
    const onForce = (): void => limit?.(forcedStopTimeoutMs);
    try {
      await Promise.race([
        stopped,
        new Promise((_, reject) => {
          limit = (timeoutMs) => {
            const giveUp = (): void => reject(new Error(`it was still at it after ${timeoutMs} ms`));
            timers.push(this.#clock.after(timeoutMs, giveUp, true));
          };
          limit(this.#options.stopTimeoutMs ?? defaultStopTimeoutMs);
          signal.addEventListener("abort", onForce);
          if (signal.aborted) onForce();
        }),
      ]);
    } finally {
      signal.removeEventListener("abort", onForce);
      for (const cancel of timers) cancel();
    }
  }

  #pause(ms: number): Promise<void> {
    if (ms === 0 || this.#forcing.signal.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      const cancel = this.#clock.after(ms, resolve, true);
      this.#forcing.signal.addEventListener(
        "abort",
        () => {
          cancel();
          resolve();
        },
        { once: true },
      );
    });
  }

  #outcome(): LifecycleOutcome {
    const forced = this.#forcing.signal.aborted;
    const exitCode = forced || this.#problems.length > 0 ? 1 : 0;
    this.#log.info("stopped", { forced, problems: this.#problems.length });
    return { reason: String(this.signal.reason), forced, problems: this.#problems, exitCode };
  }
}

/** Ends the set-up when a stop was asked for during it: no failure. */
class StoppedError extends Error {
  constructor() {
    super("a stop was asked for during the start");
  }
}

function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));
}

const optionNames: readonly (keyof LifecycleOptions)[] = [
  "signals",
  "signal",
  "propagationMs",
  "drainMs",
  "stopTimeoutMs",
  "log",
  "clock",
];

function checkLifecycleOptions(options: LifecycleOptions): void {
  const where = "runLifecycle";
  refuseUnknownOptions(where, options, optionNames);
  checkWholeNumber(where, "propagationMs", options.propagationMs, 0, Number.MAX_SAFE_INTEGER);
  checkWholeNumber(where, "drainMs", options.drainMs, 0, Number.MAX_SAFE_INTEGER);
  checkWholeNumber(where, "stopTimeoutMs", options.stopTimeoutMs, 1, Number.MAX_SAFE_INTEGER);
}
