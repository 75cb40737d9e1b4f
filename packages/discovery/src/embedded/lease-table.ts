import { randomUUID } from "node:crypto";
import { Code, ConnectError } from "@connectrpc/connect";
import type { Clock } from "@tercel/grpc";
import type { ServiceInstance } from "../port/instance.ts";
import type { PendingChanges } from "./pending-changes.ts";

export interface LeaseTableOptions {
  readonly clock: Clock;
  readonly maxInstances: number;
  readonly onExpired: (instance: ServiceInstance) => void;
}

interface Entry {
  instance: ServiceInstance;
  leaseId: string;
  leaseMs: number;
  expiresMs: number;
}

/** Leases that expire closer together than this are found in one walk. */
const minBetweenWalksMs = 100;
/** A walk that runs this late shows that the process was suspended and could not receive renewals. */
const maxLatenessMs = 1000;

/** The registered instances and the ends of their leases, without I/O. Names and ids are chosen by clients. */
export class LeaseTable {
  readonly #options: LeaseTableOptions;
  readonly #byId = new Map<string, Entry>();
  readonly #byName = new Map<string, Map<string, Entry>>();
  readonly #watchers = new Map<string, Set<PendingChanges>>();
  #cancelWalk: (() => void) | undefined;
  #walkDueMs = Number.POSITIVE_INFINITY;

  constructor(options: LeaseTableOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#byId.size;
  }

  get names(): string[] {
    return [...this.#byName.keys()].sort();
  }

  /**
   * Adds or replaces an instance and returns its lease id. An entry of another lease is replaced only by the same service at the
   * same address: that is a restarted process whose previous lease has not expired yet.
   *
   * @throws ConnectError AlreadyExists when another instance uses the id, ResourceExhausted when the table is full
   */
  register(instance: ServiceInstance, leaseMs: number, leaseId: string): string {
    const before = this.#byId.get(instance.id);
    if (before !== undefined && before.leaseId !== leaseId && !isSamePlace(before.instance, instance)) {
      const { name, address, port } = before.instance;
      throw new ConnectError(
        `instance id "${instance.id}" is in use by ${name} at ${address}:${port}`,
        Code.AlreadyExists,
      );
    }
    if (before === undefined && this.#byId.size >= this.#options.maxInstances) {
      throw new ConnectError(`the registry is full: ${this.#byId.size} instances`, Code.ResourceExhausted);
    }
    if (before !== undefined && before.instance.name !== instance.name) this.#remove(before);
    const entry: Entry = {
      instance,
      leaseId: before?.leaseId === leaseId ? leaseId : randomUUID(),
      leaseMs,
      expiresMs: this.#options.clock.nowMs() + leaseMs,
    };
    this.#byId.set(instance.id, entry);
    const sameName = this.#byName.get(instance.name) ?? new Map<string, Entry>();
    this.#byName.set(instance.name, sameName.set(instance.id, entry));
    for (const watcher of this.#watchers.get(instance.name) ?? []) watcher.put(instance);
    this.#planWalk(entry.expiresMs);
    return entry.leaseId;
  }

  /** @throws ConnectError NotFound when the lease has expired or was replaced */
  renew(id: string, leaseId: string): void {
    const entry = this.#byId.get(id);
    if (entry === undefined || entry.leaseId !== leaseId) {
      throw new ConnectError("unknown lease: register again", Code.NotFound);
    }
    entry.expiresMs = this.#options.clock.nowMs() + entry.leaseMs;
  }

  deregister(id: string, leaseId: string): void {
    const entry = this.#byId.get(id);
    // An entry of another lease belongs to a newer process and stays.
    if (entry !== undefined && entry.leaseId === leaseId) this.#remove(entry);
  }

  /** Returns up to `max` instances with ids after `afterId`, sorted by id. */
  page(
    name: string,
    afterId: string,
    max: number,
  ): { readonly instances: ServiceInstance[]; readonly nextToken: string } {
    const ids = [...(this.#byName.get(name)?.keys() ?? [])].filter((id) => id > afterId).sort();
    const found = ids.slice(0, max);
    const instances = found.flatMap((id) => this.#byId.get(id)?.instance ?? []);
    return { instances, nextToken: ids.length > max ? (found.at(-1) ?? "") : "" };
  }

  /** Adds a watcher. It receives all instances now, and every change from now on. */
  watch(name: string, watcher: PendingChanges): void {
    const others = this.#watchers.get(name) ?? new Set();
    this.#watchers.set(name, others.add(watcher));
    for (const { instance } of this.#byName.get(name)?.values() ?? []) watcher.put(instance);
  }

  unwatch(name: string, watcher: PendingChanges): void {
    const others = this.#watchers.get(name);
    others?.delete(watcher);
    if (others?.size === 0) this.#watchers.delete(name);
  }

  close(): void {
    this.#cancelWalk?.();
    this.#cancelWalk = undefined;
    this.#byId.clear();
    this.#byName.clear();
    for (const watchers of this.#watchers.values()) for (const watcher of watchers) watcher.wake();
  }

  #remove({ instance }: Entry): void {
    this.#byId.delete(instance.id);
    const sameName = this.#byName.get(instance.name);
    sameName?.delete(instance.id);
    if (sameName?.size === 0) this.#byName.delete(instance.name);
    for (const watcher of this.#watchers.get(instance.name) ?? []) watcher.removed(instance.id);
  }

  #planWalk(dueMs: number): void {
    if (dueMs >= this.#walkDueMs) return;
    this.#cancelWalk?.();
    this.#walkDueMs = dueMs;
    this.#cancelWalk = this.#options.clock.after(dueMs - this.#options.clock.nowMs(), () => this.#walk());
  }

  #walk(): void {
    const nowMs = this.#options.clock.nowMs();
    const lateMs = nowMs - this.#walkDueMs;
    this.#walkDueMs = Number.POSITIVE_INFINITY;
    this.#cancelWalk = undefined;
    const isLate = lateMs > maxLatenessMs;
    let nextMs = Number.POSITIVE_INFINITY;
    for (const entry of [...this.#byId.values()]) {
      if (isLate) entry.expiresMs = Math.max(entry.expiresMs, nowMs + Math.min(lateMs, entry.leaseMs));
      if (entry.expiresMs <= nowMs) {
        this.#remove(entry);
        this.#options.onExpired(entry.instance);
      } else nextMs = Math.min(nextMs, entry.expiresMs);
    }
    if (this.#byId.size > 0) this.#planWalk(Math.max(nextMs, nowMs + minBetweenWalksMs));
  }
}

function isSamePlace(a: ServiceInstance, b: ServiceInstance): boolean {
  return a.name === b.name && a.address === b.address && a.port === b.port;
}
