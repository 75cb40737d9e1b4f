// The interface of all registries.
import type { ConnectError } from "@connectrpc/connect";
import type { InstanceHealth, Registration, ServiceInstance } from "./instance.ts";

export interface Registry {
  /** Names the registry and its address in messages, for example `consul at http://127.0.0.1:8500`. */
  readonly description: string;
  /** False if others maintain the list of instances (static, DNS, Kubernetes). `register` then rejects with Unimplemented. */
  readonly canRegister: boolean;
  /**
   * Registers an instance and keeps it registered: renews the lease, and registers again when the registry has lost the instance.
   * Resolves when the registry has the instance. Rejects when that has failed for the adapter's `registerTimeoutMs`, or at once
   * when the registry rejects the registration; nothing keeps running then.
   */
  register(registration: Registration): Promise<Registered>;
  /** Removes an instance that this registry object has registered. Does nothing for other ids. See `Registered.deregister`. */
  deregister(id: string): Promise<void>;
  /**
   * Returns the current instances of a service, including unhealthy ones; none for an unknown name. Rejects
   * with Unavailable when the registry cannot be reached: use `watch` to continue with the last known instances.
   */
  getService(name: string): Promise<readonly ServiceInstance[]>;
  /**
   * Follows a service until the watch is closed. All watches of a name share one request to the registry. Failures of the registry are
   * reported to the listener and retried with growing delays. Throws TypeError for an invalid name, and Error after `close`.
   */
  watch(name: string, listener: WatchListener, options?: WatchOptions): Watch;
  /** Ends watches and renewals and removes all registrations. Resolves even if the registry cannot be reached: leases then expire. */
  close(): Promise<void>;
}

/** A registered instance, which the registry object keeps registered. */
export interface Registered {
  readonly instance: ServiceInstance;
  /** Whether the last registration or renewal succeeded. */
  readonly isConfirmed: boolean;
  /** Changes the health that clients see. The change is made in the background and retried until it succeeds. */
  setHealth(health: InstanceHealth): void;
  /** Stops renewing at once, then removes the instance. Rejects when the registry cannot be reached; the lease then expires. */
  deregister(): Promise<void>;
}

export interface WatchOptions {
  /** Whether the process stays alive until the watch is closed. Default true. Channels use false: their calls keep the process alive. */
  readonly keepsProcessAlive?: boolean;
}

export interface Watch {
  /** 0 while the registry responds, else the time since its last response; undefined if it has never responded. */
  readonly ageMs: number | undefined;
  /** Ends the watch. The listener is not called again. */
  close(): void;
}

/** The known instances of a service, and the changes since the previous snapshot. */
export interface ServiceSnapshot {
  readonly name: string;
  readonly instances: readonly ServiceInstance[];
  /** Instances that the listener's previous snapshot did not have; all of them in its first snapshot. */
  readonly added: readonly ServiceInstance[];
  /** Instances that differ from the previous snapshot, with their new fields. */
  readonly changed: readonly ServiceInstance[];
  /** Instances that only the previous snapshot had. */
  readonly removed: readonly ServiceInstance[];
  /** 0 while the registry responds; else the time since its last response. */
  readonly ageMs: number;
}

export interface WatchProblem {
  /** Names the registry, the failure, and the time of the next attempt. */
  readonly error: ConnectError;
  /** The time since the registry's last response; undefined if it has never responded. */
  readonly ageMs: number | undefined;
  readonly nextAttemptInMs: number;
}

/** Both methods may be called before `watch` returns. They must not throw. */
export interface WatchListener {
  /** Receives a snapshot, which replaces the previous one. Changes in quick succession are reported together. */
  onSnapshot(snapshot: ServiceSnapshot): void;
  /** The registry cannot be followed at the moment. The last snapshot stays valid: no instance is removed because of a problem. */
  onProblem(problem: WatchProblem): void;
}
