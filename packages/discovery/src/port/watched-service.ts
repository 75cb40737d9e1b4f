import type { ConnectError } from "@connectrpc/connect";
import type { Clock } from "@tercel/grpc";
import { isSameInstance, type ServiceInstance } from "./instance.ts";
import type { ServiceSnapshot, WatchListener, WatchProblem } from "./registry.ts";

/** Receives the changes of one service from an adapter. */
export interface WatchSink {
  /**
   * Replaces all instances. `isSettling` means that the list may be incomplete, for example after a restart of the registry: missing
   * instances stay known until `settled`, a change that removes them, or a `replace` without it.
   */
  replace(instances: Iterable<ServiceInstance>, options?: { readonly isSettling?: boolean }): void;
  /** Adds or replaces some instances and removes others. */
  change(put: Iterable<ServiceInstance>, removedIds: Iterable<string>): void;
  /** Removes the instances that were only kept because the registry was settling. */
  settled(): void;
  /** The registry has responded without a change. */
  confirm(): void;
  /** The registry cannot be followed. The adapter retries after `nextAttemptInMs`. */
  fail(error: ConnectError, nextAttemptInMs: number): void;
}

/**
 * The minimum time between two snapshots: without it, ten thousand instances that register one by one would cause ten thousand snapshots
 * of up to ten thousand instances. The first change after a quiet period is reported at once.
 */
const minBetweenSnapshotsMs = 20;

/** How long a new listener waits for the registry's first response before it gets the last known instances. */
const freshWaitMs = 1000;

/** The last known instances of one service, and its listeners. The instances survive the listeners, failures and restarts. */
export class WatchedService implements WatchSink {
  readonly #name: string;
  readonly #clock: Clock;
  readonly #instances = new Map<string, ServiceInstance>();
  /** Ids of instances that were known before the registry began to settle, and that it has not reported since. */
  readonly #held = new Set<string>();
  /** Whether each listener has received its first snapshot. All that have are at the same snapshot. */
  readonly #listeners = new Map<WatchListener, boolean>();
  /**
   * The instances changed since the last snapshot, as that snapshot had them; undefined for those it did not have. With thousands of
   * instances, comparing whole lists for each change would cost more than everything else.
   */
  readonly #before = new Map<string, ServiceInstance | undefined>();
  #lastResponseMs: number | undefined;
  #problem: { readonly error: ConnectError; readonly nextAttemptMs: number } | undefined;
  /** Whether the registry has responded since the current request started. */
  #isCurrent = false;
  #cancelTimer: (() => void) | undefined;
  #hasNews = false;

  constructor(name: string, clock: Clock) {
    this.#name = name;
    this.#clock = clock;
  }

  get hasListeners(): boolean {
    return this.#listeners.size > 0;
  }

  /** Whether the registry has ever responded for this service. */
  get isKnown(): boolean {
    return this.#lastResponseMs !== undefined;
  }

  get ageMs(): number | undefined {
    if (this.#isCurrent) return 0;
    return this.#lastResponseMs === undefined ? undefined : this.#clock.nowMs() - this.#lastResponseMs;
  }

  add(listener: WatchListener): void {
    this.#listeners.set(listener, false);
    if (this.#isCurrent || (this.isKnown && this.#problem !== undefined)) this.#notifyAll(false);
    else if (this.isKnown) this.#cancelTimer ??= this.#clock.after(freshWaitMs, () => this.#onTimer());
    if (this.#problem !== undefined && this.#listeners.has(listener)) listener.onProblem(this.#describe(this.#problem));
  }

  remove(listener: WatchListener): void {
    this.#listeners.delete(listener);
  }

  /** The request to the registry was stopped, because the service has no listeners any more. */
  onUnfollowed(): void {
    this.#isCurrent = false;
    this.#problem = undefined;
    this.#hasNews = false;
    this.#before.clear();
    this.#cancelTimer?.();
    this.#cancelTimer = undefined;
  }

  replace(instances: Iterable<ServiceInstance>, { isSettling = false } = {}): void {
    const missing = new Set(this.#instances.keys());
    this.#held.clear();
    for (const instance of instances) {
      this.#put(instance);
      missing.delete(instance.id);
    }
    for (const id of missing) {
      if (isSettling) this.#held.add(id);
      else this.#remove(id);
    }
    this.#onNews();
  }

  change(put: Iterable<ServiceInstance>, removedIds: Iterable<string>): void {
    for (const id of removedIds) this.#remove(id);
    for (const instance of put) this.#put(instance);
    this.#onNews();
  }

  settled(): void {
    if (this.#held.size === 0) return;
    for (const id of this.#held) this.#remove(id);
    this.#onNews();
  }

  confirm(): void {
    this.#lastResponseMs = this.#clock.nowMs();
  }

  fail(error: ConnectError, nextAttemptInMs: number): void {
    this.#isCurrent = false;
    this.#problem = { error, nextAttemptMs: this.#clock.nowMs() + nextAttemptInMs };
    if (this.isKnown && this.#hasNewListener) this.#notifyAll(false);
    for (const listener of [...this.#listeners.keys()]) {
      if (this.#problem !== undefined && this.#listeners.has(listener))
        listener.onProblem(this.#describe(this.#problem));
    }
  }

  get #hasNewListener(): boolean {
    return [...this.#listeners.values()].includes(false);
  }

  #put(instance: ServiceInstance): void {
    const known = this.#instances.get(instance.id);
    this.#held.delete(instance.id);
    if (known !== undefined && isSameInstance(known, instance)) return;
    if (!this.#before.has(instance.id)) this.#before.set(instance.id, known);
    this.#instances.set(instance.id, instance);
  }

  #remove(id: string): void {
    const known = this.#instances.get(id);
    this.#held.delete(id);
    if (known === undefined) return;
    if (!this.#before.has(id)) this.#before.set(id, known);
    this.#instances.delete(id);
  }

  #onNews(): void {
    this.#lastResponseMs = this.#clock.nowMs();
    const hasRecovered = !this.#isCurrent;
    this.#isCurrent = true;
    this.#problem = undefined;
    this.#hasNews = true;
    if (hasRecovered) {
      // The timer would report a snapshot that this one replaces.
      this.#cancelTimer?.();
      this.#cancelTimer = undefined;
      this.#notifyAll(true);
    } else if (this.#cancelTimer === undefined) {
      this.#notifyAll(false);
    }
  }

  #onTimer(): void {
    this.#cancelTimer = undefined;
    if (this.#hasNews || this.#hasNewListener) this.#notifyAll(false);
  }

  #notifyAll(evenIfSame: boolean): void {
    this.#hasNews = false;
    this.#cancelTimer?.();
    this.#cancelTimer = this.#clock.after(minBetweenSnapshotsMs, () => this.#onTimer());
    const instances = [...this.#instances.values()];
    const common = { name: this.#name, instances, ageMs: this.ageMs ?? 0 };
    const changes = this.#takeChanges();
    const isSame = changes.added.length + changes.changed.length + changes.removed.length === 0;
    for (const [listener, wasNotified] of [...this.#listeners]) {
      // A listener called earlier in this loop may have closed this one's watch.
      if (!this.#listeners.has(listener)) continue;
      this.#listeners.set(listener, true);
      if (!wasNotified) listener.onSnapshot({ ...common, added: instances, changed: [], removed: [] });
      else if (!isSame || evenIfSame) listener.onSnapshot({ ...common, ...changes });
    }
  }

  #takeChanges(): Pick<ServiceSnapshot, "added" | "changed" | "removed"> {
    const added: ServiceInstance[] = [];
    const changed: ServiceInstance[] = [];
    const removed: ServiceInstance[] = [];
    for (const [id, before] of this.#before) {
      const now = this.#instances.get(id);
      if (now === undefined) {
        if (before !== undefined) removed.push(before);
      } else if (before === undefined) added.push(now);
      else if (!isSameInstance(before, now)) changed.push(now);
    }
    this.#before.clear();
    return { added, changed, removed };
  }

  #describe({ error, nextAttemptMs }: { readonly error: ConnectError; readonly nextAttemptMs: number }): WatchProblem {
    return { error, ageMs: this.ageMs, nextAttemptInMs: Math.max(0, nextAttemptMs - this.#clock.nowMs()) };
  }
}
