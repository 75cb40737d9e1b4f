import { Code, ConnectError } from "@connectrpc/connect";
import type { Clock, Log } from "@tercel/grpc";
import { pause, thrownMessage } from "@tercel/grpc/internal";
import type { Backoff } from "@tercel/grpc/naming";
import type { InstanceHealth, ServiceInstance } from "./instance.ts";
import type { Registered } from "./registry.ts";

/** How a registry adds, renews and removes one instance. `place` and `renew` are retried when they reject; `remove` is called once. */
export interface Lease {
  /** Adds or replaces the instance. Resolves with the time until the next renewal. */
  place(instance: ServiceInstance, signal: AbortSignal): Promise<{ readonly renewAfterMs: number }>;
  /** Renews the lease. Resolves with false when the registry no longer has the instance. */
  renew(instance: ServiceInstance, signal: AbortSignal): Promise<boolean>;
  remove(instance: ServiceInstance): Promise<void>;
}

export interface KeepRegisteredOptions {
  readonly clock: Clock;
  readonly backoff: Backoff;
  readonly log: Log;
  /** Names the registry in messages. */
  readonly description: string;
  /** How long the first registration is retried. */
  readonly registerTimeoutMs: number;
}

/** Codes of a registry that has understood the request and rejects it: a retry would not help. */
const refusals: ReadonlySet<Code> = new Set([
  Code.InvalidArgument,
  Code.AlreadyExists,
  Code.PermissionDenied,
  Code.Unauthenticated,
  Code.Unimplemented,
  Code.FailedPrecondition,
]);

/**
 * Keeps one instance registered.
 *
 * ```text
 *            placed               the rest time is over
 *   placing ────────► resting ─────────────────────► renewing ──► resting
 *      ▲                 │ changed                       │ lost
 *      └─────────────────┴───────────────────────────────┘       a failed step is repeated after a delay
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
  /** Makes `start` reject while it waits. */
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

  /** Resolves when the instance is registered for the first time; see `Registry.register`. Must be called once only. */
  start(): Promise<void> {
    const { clock, registerTimeoutMs, description } = this.#options;
    return new Promise((resolve, reject) => {
      let lastError: ConnectError | undefined;
      let isPlaced = false;
      const giveUp = (error: ConnectError): void => {
        cancel();
        this.#closing.abort();
        this.#wake.abort();
        // The last attempt may have succeeded in the registry.
        this.#running?.then(() => this.#lease.remove(this.#instance)).catch(() => {});
        reject(error);
      };
      this.#giveUp = giveUp;
      const cancel = clock.after(
        registerTimeoutMs,
        () => {
          const reason = lastError?.rawMessage ?? "no response";
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
          // Later, a rejection may be temporary, for example until a token is renewed.
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
    this.#giveUp(
      new ConnectError(`${this.#describe()} was deregistered before its registration succeeded`, Code.Canceled),
    );
    this.#closing.abort();
    this.#wake.abort();
    this.#isConfirmed = false;
    // A step in progress might register the instance again after its removal.
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
          log.warn("the registry has lost an instance: registering it again", this.#facts());
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
        if (failures > 0) log.info("the registry responds again: the instance is registered", this.#facts());
        failures = 0;
        this.#isConfirmed = true;
        first.onPlaced();
        restMs = renewAfterMs;
      } catch (error) {
        if (closing.aborted) return;
        this.#isConfirmed = false;
        const cause = ConnectError.from(error, Code.Unavailable);
        first.onFailed(cause);
        // Not later than the next renewal, or the lease might expire although the registry responds again.
        restMs = Math.min(backoff(failures), renewAfterMs);
        if (failures === 0)
          log.warn(`cannot register or renew an instance with ${description}`, {
            ...this.#facts(),
            error: cause.message,
          });
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

/** Keeps all registrations of one registry object. */
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

  /** Removes all registrations. Failures are logged, because the leases expire anyway. */
  async close(): Promise<void> {
    const ends = [...this.#byId.keys()].map((id) => this.deregister(id));
    for (const end of await Promise.allSettled(ends)) {
      if (end.status === "rejected")
        this.#options.log.warn("cannot deregister an instance", { error: thrownMessage(end.reason) });
    }
  }
}
