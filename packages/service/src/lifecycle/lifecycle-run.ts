import {
  type Clock,
  type ListenAddress,
  type ListeningAt,
  type ListenOptions,
  type Log,
  type Server,
  systemClock,
} from "@tercel/grpc";
import { pause, refuseUnknownOptions, safeLog, thrownMessage } from "@tercel/grpc/internal";
import type { Lifecycle, LifecycleOutcome, ServedHealth, ServeOptions } from "./lifecycle-contract.ts";
import type { LifecycleOptions } from "./lifecycle-options.ts";

interface Started {
  readonly name: string;
  readonly stop: () => unknown;
  /** It ends by itself in a time of its own, which a second signal cuts short. */
  readonly keepsOwnTime: boolean;
}

export const defaultDrainMs = 30_000;
export const defaultStopTimeoutMs = 10_000;
/** After a second signal: long enough to close a file, too short to notice. */
const forcedStopTimeoutMs = 1_000;

/** What belongs to a run that other processes stop. */
export interface RunHooks {
  /** A server has begun to listen. */
  onServing?(address: ListenAddress, health: ServedHealth | undefined): void;
}

/** One life of a program, without the signals that end it. */
export class LifecycleRun implements Lifecycle {
  readonly clock: Clock;
  readonly #options: LifecycleOptions;
  readonly #hooks: RunHooks;
  readonly #log: Log;
  readonly #started: Started[] = [];
  readonly #stopping = new AbortController();
  readonly #forcing = new AbortController();
  readonly #problems: Error[] = [];
  #isReplaced = false;
  #isOver = false;

  constructor(options: LifecycleOptions, hooks: RunHooks = {}) {
    this.#options = options;
    this.#hooks = hooks;
    this.clock = options.clock ?? systemClock;
    this.#log = safeLog(options.log);
  }

  get signal(): AbortSignal {
    return this.#stopping.signal;
  }

  stop(reason: string): void {
    if (this.signal.aborted) return;
    this.#log.info("stopping", { reason });
    this.#stopping.abort(reason);
  }

  /** Stops without NOT_SERVING and its pause, because another process has taken over already. */
  replace(reason: string): void {
    this.#isReplaced = true;
    this.stop(reason);
  }

  /** Ends all waiting. */
  force(reason: string): void {
    if (this.#forcing.signal.aborted) return;
    this.#log.warn("stopping at once", { reason });
    this.#forcing.abort(reason);
    this.stop(reason);
  }

  async run(setUp: (life: Lifecycle) => Promise<void>, onReady: () => void = () => {}): Promise<LifecycleOutcome> {
    await this.#setUp(setUp);
    if (!this.signal.aborted) onReady();
    await aborted(this.signal);
    await this.#stopAll();
    this.#isOver = true;
    return this.#outcome();
  }

  async start<Resource>(
    name: string,
    start: () => Resource | Promise<Resource>,
    stop: (resource: Resource) => unknown = () => {},
  ): Promise<Resource> {
    this.#refuseWhileStopping();
    const resource = await start();
    if (this.#isOver) {
      // The stop has not waited for this; no one else would undo it.
      await stop(resource);
      throw new StoppedError();
    }
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
    refuseUnknownOptions("serve", options, ["health", "register", "pauseWork"]);
    const { health, register, pauseWork } = options;
    this.#refuseWhileStopping();
    // Undone in reverse: readiness, registration, server.
    this.#started.push({ name: "server", stop: () => this.#drain(server, health), keepsOwnTime: true });
    if (health !== undefined) {
      // Also when something behind it fails to start, and no one has announced a stop.
      await this.start(
        "health checks",
        () => health.start(),
        () => health.shutdown(),
      );
    }
    const address = await server.listen(where);
    if (pauseWork !== undefined) await this.start("other work", () => {}, pauseWork);
    if (register !== undefined) {
      await this.start(
        "registration",
        () => register(address),
        (undo) => undo?.(),
      );
    }
    this.#started.push({ name: "readiness", stop: () => this.#announceStop(health), keepsOwnTime: true });
    this.#hooks.onServing?.(address, health);
    return address;
  }

  #refuseWhileStopping(): void {
    if (this.signal.aborted) throw new StoppedError();
  }

  async #setUp(setUp: (life: Lifecycle) => Promise<void>): Promise<void> {
    const over = new AbortController();
    try {
      await Promise.race([setUp(this), this.#startTimeIsUp(over.signal)]);
    } catch (error) {
      if (error instanceof StoppedError) return;
      if (this.signal.aborted) {
        // A part that gives up because of the stop has not failed, and one that fails now is not needed any more.
        this.#log.info("a part was not started because of the stop", { error });
        return;
      }
      this.#stopping.abort("the start failed");
      await this.#stopAll();
      this.#isOver = true;
      throw error;
    } finally {
      over.abort();
    }
  }

  /** A part that is being started when a stop is asked for may wait for something that never comes. */
  async #startTimeIsUp(over: AbortSignal): Promise<void> {
    await aborted(this.signal, over);
    if (over.aborted) return;
    const limitMs = this.#options.stopTimeoutMs ?? defaultStopTimeoutMs;
    await pause(this.clock, limitMs, AbortSignal.any([over, this.#forcing.signal]), true);
    if (over.aborted) return;
    this.#problems.push(
      new Error(
        this.#forcing.signal.aborted
          ? "the start was not waited for"
          : `the start was still at it ${limitMs} ms after the stop was asked for`,
      ),
    );
  }

  async #announceStop(health: ServeOptions["health"]): Promise<void> {
    if (this.#isReplaced) return;
    health?.shutdown();
    const { propagationMs = 0 } = this.#options;
    if (propagationMs > 0) await pause(this.clock, propagationMs, this.#forcing.signal, true);
  }

  async #drain(server: Server, health: ServeOptions["health"]): Promise<void> {
    health?.endWatches();
    const closed = server.close({ deadlineMs: this.#options.drainMs ?? defaultDrainMs });
    const cut = (): void => void server.close({ deadlineMs: 0 });
    const { signal } = this.#forcing;
    signal.addEventListener("abort", cut, { once: true });
    if (signal.aborted) cut();
    try {
      await closed;
    } finally {
      signal.removeEventListener("abort", cut);
    }
  }

  async #stopAll(): Promise<void> {
    for (let part = this.#started.pop(); part !== undefined; part = this.#started.pop()) {
      try {
        await this.#withinTime(part);
      } catch (error) {
        const reason = thrownMessage(error);
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
            timers.push(this.clock.after(timeoutMs, giveUp, true));
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

  #outcome(): LifecycleOutcome {
    const forced = this.#forcing.signal.aborted;
    const exitCode = forced || this.#problems.length > 0 ? 1 : 0;
    this.#log.info("stopped", { forced, problems: this.#problems.length });
    return { reason: String(this.signal.reason), forced, problems: this.#problems, exitCode };
  }
}

/** Ends the setup when a stop was asked for during it: no failure. */
class StoppedError extends Error {
  constructor() {
    super("a stop was asked for during the start");
  }
}

/** Resolves when one of the signals is aborted. */
function aborted(...signals: readonly AbortSignal[]): Promise<void> {
  if (signals.some((signal) => signal.aborted)) return Promise.resolve();
  return new Promise((resolve) => {
    const end = (): void => {
      for (const signal of signals) signal.removeEventListener("abort", end);
      resolve();
    };
    for (const signal of signals) signal.addEventListener("abort", end);
  });
}
