import {
  type Clock,
  type ListenAddress,
  type ListenAddressFor,
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
  /** Whether it has its own time limit, which a second signal cuts short. */
  readonly keepsOwnTime: boolean;
}

export const defaultDrainMs = 30_000;
export const defaultStopTimeoutMs = 10_000;
/** Time limit of a part after a second signal, in milliseconds. */
const forcedStopTimeoutMs = 1_000;

/** Hooks of a run that another process stops. */
export interface RunHooks {
  /** Called when a server listens. */
  onServing?(address: ListenAddress, health: ServedHealth | undefined): void;
}

/** A run of a program's lifecycle, without signal handling. */
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

  /** Stops without NOT_SERVING and its delay, because another process has taken over already. */
  replace(reason: string): void {
    this.#isReplaced = true;
    this.stop(reason);
  }

  /** Forces the stop: ends all waiting. */
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
      // The stop has not waited for this part, so it is undone here.
      await stop(resource);
      throw new StoppedError();
    }
    this.#started.push({ name, stop: () => stop(resource), keepsOwnTime: false });
    // A stop was requested in the meantime: the new part is stopped with the others.
    this.#refuseWhileStopping();
    return resource;
  }

  async serve<Options extends ListenOptions>(
    server: Server,
    where: Options,
    options: ServeOptions = {},
  ): Promise<ListenAddressFor<Options>> {
    refuseUnknownOptions("serve", options, ["health", "register", "pauseWork"]);
    const { health, register, pauseWork } = options;
    this.#refuseWhileStopping();
    // Undone in reverse order: readiness, registration, server.
    this.#started.push({ name: "server", stop: () => this.#drain(server, health), keepsOwnTime: true });
    if (health !== undefined) {
      // Also runs when a later part fails to start, without a requested stop.
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
        // A failure during a stop is ignored: the part was interrupted, or is no longer needed.
        this.#log.info("part not started because of the stop", { error });
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

  /** Limits the wait for a part that is still starting when a stop is requested. */
  async #startTimeIsUp(over: AbortSignal): Promise<void> {
    await aborted(this.signal, over);
    if (over.aborted) return;
    const limitMs = this.#options.stopTimeoutMs ?? defaultStopTimeoutMs;
    await pause(this.clock, limitMs, AbortSignal.any([over, this.#forcing.signal]), true);
    if (over.aborted) return;
    this.#problems.push(
      new Error(
        this.#forcing.signal.aborted
          ? "abandoned while starting"
          : `still starting ${limitMs} ms after the stop request`,
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
        this.#log.error("part did not stop", { part: part.name, error });
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
            const giveUp = (): void => reject(new Error(`timeout after ${timeoutMs} ms`));
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

/** Ends the setup when a stop is requested during it; not a failure. */
class StoppedError extends Error {
  constructor() {
    super("stopped during the start");
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
