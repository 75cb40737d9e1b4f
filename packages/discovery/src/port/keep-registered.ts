import { Code, ConnectError } from "@connectrpc/connect";
import type { Clock, Log } from "@tercel/grpc";
import { pause, thrownMessage } from "@tercel/grpc/internal";
import type { Backoff } from "@tercel/grpc/naming";
import type { InstanceHealth, ServiceInstance } from "./instance.ts";
import type { Registered } from "./registry.ts";

/** How one registry enters, renews and removes an instance. Each may reject; it is then tried again. */
export interface Lease {
  /** Enters the instance, or replaces it. Resolves to the time after which it is to be renewed. */
  place(instance: ServiceInstance, signal: AbortSignal): Promise<{ readonly renewAfterMs: number }>;
  /** False when the registry no longer has the instance. */
  renew(instance: ServiceInstance, signal: AbortSignal): Promise<boolean>;
  remove(instance: ServiceInstance): Promise<void>;
}

export interface KeepRegisteredOptions {
  readonly clock: Clock;
  readonly backoff: Backoff;
  readonly log: Log;
  /** The registry, for messages. */
  readonly description: string;
  /** How long the first entry may take. */
  readonly registerTimeoutMs: number;
}

/** Codes that waiting does not fix: the registry has understood and says no. */
const refusals: ReadonlySet<Code> = new Set([
  Code.InvalidArgument,
  Code.AlreadyExists,
  Code.PermissionDenied,
  Code.Unauthenticated,
  Code.Unimplemented,
  Code.FailedPrecondition,
]);

/**
 * One instance that stays registered.
 *
 * ```text
 *            placed               the pause is over
 *   placing ────────► resting ─────────────────────► renewing ──► resting
 *      ▲                 │ changed                       │ lost
 *      └─────────────────┴───────────────────────────────┘       a failure repeats the step after a pause
 * ```
 */
export class KeptRegistration implements Registered {
  readonly #lease: Lease;
  readonly #options: KeepRegisteredOptions;
  readonly #closing = new AbortController();
  #instance: ServiceInstance;
  #hasToPlace = true;
  #isConfirmed = false;
  #wake = new AbortController();
  #running: Promise<void> | undefined;
  /** Ends `start` while it waits. */
  #giveUp: (error: ConnectError) => void = () => {};

  constructor(instance: ServiceInstance, lease: Lease, options: KeepRegisteredOptions) {
    this.#instance = instance;
    this.#lease = lease;
    this.#options = options;
  }

  get instance(): ServiceInstance {
    return this.#instance;
  }

  get isConfirmed(): boolean {
    return this.#isConfirmed;
  }

  /** Resolves when the instance is entered for the first time; see `Registry.register`. Called once. */
  start(): Promise<void> {
    const { clock, registerTimeoutMs, description } = this.#options;
    return new Promise((resolve, reject) => {
      let lastError: ConnectError | undefined;
      let isPlaced = false;
      const giveUp = (error: ConnectError): void => {
        cancel();
        this.#closing.abort();
        this.#wake.abort();
        // The attempt that was given up may have come through all the same.
        this.#running?.then(() => this.#lease.remove(this.#instance)).catch(() => {});
        reject(error);
      };
      this.#giveUp = giveUp;
      const cancel = clock.after(
        registerTimeoutMs,
        () => {
          const reason = lastError?.rawMessage ?? "no answer";
          const text = `cannot register ${this.#describe()} with ${description} within ${registerTimeoutMs / 1000} s: ${reason}`;
          giveUp(new ConnectError(text, lastError?.code ?? Code.Unavailable, undefined, undefined, lastError));
        },
        true,
      );
      this.#running = this.#run({
        onPlaced: () => {
          isPlaced = true;
          this.#giveUp = () => {};
          cancel();
          resolve();
        },
        onFailed: (error) => {
          lastError = error;
          // Later on a refusal may pass, when a token has been renewed for instance.
          if (isPlaced || !refusals.has(error.code)) return;
          const text = `${description} refuses to register ${this.#describe()}: ${error.rawMessage}`;
          giveUp(new ConnectError(text, error.code, undefined, undefined, error));
        },
      });
    });
  }

  setHealth(health: InstanceHealth): void {
    if (this.#instance.health === health) return;
    this.#instance = { ...this.#instance, health };
    this.#hasToPlace = true;
    this.#wake.abort();
  }

  async deregister(): Promise<void> {
    this.#giveUp(new ConnectError(`${this.#describe()} was deregistered before it was registered`, Code.Canceled));
    this.#closing.abort();
    this.#wake.abort();
    this.#isConfirmed = false;
    // A step under way might enter the instance again after it was removed.
    await this.#running;
    await this.#lease.remove(this.#instance);
  }

  async #run(first: { onPlaced(): void; onFailed(error: ConnectError): void }): Promise<void> {
    const { clock, backoff, log, description } = this.#options;
    const closing = this.#closing.signal;
    let renewAfterMs = Number.POSITIVE_INFINITY;
    let failures = 0;
    while (!closing.aborted) {
      let restMs: number;
      try {
        if (!this.#hasToPlace && !(await this.#lease.renew(this.#instance, closing))) {
          log.warn("the registry has lost an instance, which registers again", this.#facts());
          this.#hasToPlace = true;
        }
        if (this.#hasToPlace) {
          this.#hasToPlace = false;
          renewAfterMs = (
            await this.#lease.place(this.#instance, closing).catch((error: unknown) => {
              this.#hasToPlace = true;
              throw error;
            })
          ).renewAfterMs;
        }
        if (closing.aborted) return;
        if (failures > 0) log.info("the registry confirms an instance again", this.#facts());
        failures = 0;
        this.#isConfirmed = true;
        first.onPlaced();
        restMs = renewAfterMs;
      } catch (error) {
        if (closing.aborted) return;
        this.#isConfirmed = false;
        const cause = ConnectError.from(error, Code.Unavailable);
        first.onFailed(cause);
        // Not later than a renewal would be, or the lease might run out although the registry is back.
        restMs = Math.min(backoff(failures), renewAfterMs);
        if (failures === 0)
          log.warn(`${description} cannot be updated with an instance`, { ...this.#facts(), error: cause.message });
        failures += 1;
      }
      if (this.#hasToPlace && this.#isConfirmed) continue;
      this.#wake = new AbortController();
      if (!closing.aborted) await pause(clock, restMs, this.#wake.signal);
    }
  }

  #describe(): string {
    return `${this.#instance.name} (${this.#instance.id})`;
  }

  #facts(): { readonly service: string; readonly instance: string; readonly registry: string } {
    return { service: this.#instance.name, instance: this.#instance.id, registry: this.#options.description };
  }
}

/** Everything that one registry object has registered. */
export class RegistrationKeeper {
  readonly #options: KeepRegisteredOptions;
  readonly #byId = new Map<string, KeptRegistration>();

  constructor(options: KeepRegisteredOptions) {
    this.#options = options;
  }

  async register(instance: ServiceInstance, lease: Lease): Promise<Registered> {
    if (this.#byId.has(instance.id)) {
      throw new ConnectError(`${instance.name} (${instance.id}) is registered already`, Code.AlreadyExists);
    }
    const kept = new KeptRegistration(instance, lease, this.#options);
    this.#byId.set(instance.id, kept);
    try {
      await kept.start();
    } catch (error) {
      this.#byId.delete(instance.id);
      throw error;
    }
    return {
      get instance() {
        return kept.instance;
      },
      get isConfirmed() {
        return kept.isConfirmed;
      },
      setHealth: (health) => kept.setHealth(health),
      deregister: () => this.deregister(instance.id),
    };
  }

  async deregister(id: string): Promise<void> {
    const kept = this.#byId.get(id);
    this.#byId.delete(id);
    await kept?.deregister();
  }

  /** Removes all; a registry that cannot be reached is not a reason to stay, as the leases end by themselves. */
  async close(): Promise<void> {
    const ends = [...this.#byId.keys()].map((id) => this.deregister(id));
    for (const end of await Promise.allSettled(ends)) {
      if (end.status === "rejected")
        this.#options.log.warn("an instance could not be deregistered", { error: thrownMessage(end.reason) });
    }
  }
}
