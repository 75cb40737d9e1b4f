// The port: what every registry can do, whatever it is.
import type { ConnectError } from "@connectrpc/connect";
import type { InstanceHealth, Registration, ServiceInstance } from "./instance.ts";

export interface Registry {
  /** What it is and where, for messages: `consul at http://127.0.0.1:8500`. */
  readonly description: string;
  /** False where somebody else keeps the list (static, DNS, Kubernetes); `register` then rejects with Unimplemented. */
  readonly canRegister: boolean;
  /**
   * Enters an instance and keeps it entered: the lease is renewed, and a registry that has lost the instance gets it again.
   * Resolves once the registry has it. Rejects when that has not come about within the adapter's `registerTimeoutMs`, or at
   * once when the registry refuses; nothing is left running then.
   */
  register(registration: Registration): Promise<Registered>;
  /** Removes an instance that this registry object has registered; does nothing for others. See `Registered.deregister`. */
  deregister(id: string): Promise<void>;
  /**
   * The instances of a service as the registry has them now, unhealthy ones included; none for an unknown name. Rejects
   * with Unavailable when the registry cannot be reached: use `watch` to continue with what was last known.
   */
  getService(name: string): Promise<readonly ServiceInstance[]>;
  /**
   * Follows a service until the watch is closed. All watches of a name share one request to the registry. Never fails: what
   * goes wrong is reported to the listener, and tried again with growing pauses.
   */
  watch(name: string, listener: WatchListener, options?: WatchOptions): Watch;
  /** Ends watches and renewals and removes what was registered, as far as the registry can be reached. */
  close(): Promise<void>;
}

/** An instance that is being kept registered. */
export interface Registered {
  readonly instance: ServiceInstance;
  /** The registry has confirmed the instance, and nothing has failed since. */
  readonly isConfirmed: boolean;
  /** Tells others whether to send calls; carried out in the background, and repeated until it succeeds. */
  setHealth(health: InstanceHealth): void;
  /** Stops renewing at once, then removes the instance. Rejects when the registry cannot be reached; the lease then ends it. */
  deregister(): Promise<void>;
}

export interface WatchOptions {
  /** Whether the process stays alive until the watch is closed. Default true; false for a channel, whose calls decide. */
  readonly keepsProcessAlive?: boolean;
}

export interface Watch {
  /** 0 while the registry is being followed; else the time since its last response; undefined if it never responded. */
  readonly ageMs: number | undefined;
  /** Ends the watch; the listener is called no more. */
  close(): void;
}

/** Everything known of a service, and what is new since the snapshot before. */
export interface ServiceSnapshot {
  readonly name: string;
  readonly instances: readonly ServiceInstance[];
  /** Not in the listener's previous snapshot; in its first one, all. */
  readonly added: readonly ServiceInstance[];
  /** In both, with differences; as they are now. */
  readonly changed: readonly ServiceInstance[];
  /** In the previous snapshot only. */
  readonly removed: readonly ServiceInstance[];
  /** More than 0: the registry does not respond, and this is so old. */
  readonly ageMs: number;
}

export interface WatchProblem {
  /** Names the registry, what failed, and when it is tried again. */
  readonly error: ConnectError;
  /** How old the last snapshot is; undefined without one. */
  readonly ageMs: number | undefined;
  readonly nextAttemptInMs: number;
}

/** Both methods may be called from within `watch`. They must not throw. */
export interface WatchListener {
  /** Replaces the snapshot before. Changes that come in quick succession are reported together. */
  onSnapshot(snapshot: ServiceSnapshot): void;
  /** The registry cannot be followed now. No one has disappeared because of that: the last snapshot stays what is known. */
  onProblem(problem: WatchProblem): void;
}
