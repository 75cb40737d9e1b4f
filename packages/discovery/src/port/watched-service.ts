import type { ConnectError } from "@connectrpc/connect";
import type { Clock } from "@tercel/grpc";
import { isSameInstance, type ServiceInstance } from "./instance.ts";
import type { ServiceSnapshot, WatchListener, WatchProblem } from "./registry.ts";

/** Where an adapter reports what its registry tells of one service. */
export interface WatchSink {
  /**
   * The whole set. `isSettling` says that the registry itself is not sure yet, after a restart for instance: who is missing
   * then stays known until `settled`, a change that removes it, or a set that is sure.
   */
  replace(instances: Iterable<ServiceInstance>, options?: { readonly isSettling?: boolean }): void;
  /** What differs from before. */
  change(put: Iterable<ServiceInstance>, removedIds: Iterable<string>): void;
  /** Ends `isSettling`. */
  settled(): void;
  /** The registry is there and has nothing new. */
  confirm(): void;
  /** The registry cannot be followed; the adapter tries again after the pause. */
  fail(error: ConnectError, nextAttemptInMs: number): void;
}

/**
 * After a snapshot, further ones wait for so long: ten thousand instances that register one by one would otherwise make ten
 * thousand lists of ten thousand. The first change after a quiet time is told at once.
 */
const minBetweenSnapshotsMs = 20;

/** How long listeners wait for the registry's first word before they are told what was known before. */
const freshWaitMs = 1000;

/** What is known of one service, and those who want to know. Knowledge outlives listeners, failures and restarts. */
export class WatchedService implements WatchSink {
  readonly #name: string;
  readonly #clock: Clock;
  readonly #instances = new Map<string, ServiceInstance>();
  /** Known from before the registry began to settle, and not confirmed since. */
  readonly #held = new Set<string>();
  /** For each listener what it was told last; undefined before its first snapshot. */
  readonly #listeners = new Map<WatchListener, ReadonlyMap<string, ServiceInstance> | undefined>();
  #lastHeardMs: number | undefined;
  #problem: { readonly error: ConnectError; readonly nextAttemptMs: number } | undefined;
  /** The registry has answered since the request to it began. */
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

  /** Whether there is anything worth keeping. */
  get isKnown(): boolean {
    return this.#lastHeardMs !== undefined;
  }

  get ageMs(): number | undefined {
    if (this.#isCurrent) return 0;
    return this.#lastHeardMs === undefined ? undefined : this.#clock.nowMs() - this.#lastHeardMs;
  }

  add(listener: WatchListener): void {
    this.#listeners.set(listener, undefined);
    if (this.#isCurrent || (this.isKnown && this.#problem !== undefined)) this.#tell(listener);
    else if (this.isKnown) this.#cancelTimer ??= this.#clock.after(freshWaitMs, () => this.#onTimer());
    if (this.#problem !== undefined && this.#listeners.has(listener)) listener.onProblem(this.#describe(this.#problem));
  }

  remove(listener: WatchListener): void {
    this.#listeners.delete(listener);
  }

  /** The request to the registry has ended, because nobody listens any more. */
  onUnfollowed(): void {
    this.#isCurrent = false;
    this.#problem = undefined;
    this.#hasNews = false;
    this.#cancelTimer?.();
    this.#cancelTimer = undefined;
  }

  replace(instances: Iterable<ServiceInstance>, { isSettling = false } = {}): void {
    const before = new Map(this.#instances);
    this.#instances.clear();
    this.#held.clear();
    for (const instance of instances) {
      this.#instances.set(instance.id, keepIfSame(before.get(instance.id), instance));
      before.delete(instance.id);
    }
    if (isSettling) {
      for (const [id, instance] of before) {
        this.#instances.set(id, instance);
        this.#held.add(id);
      }
    }
    this.#onNews();
  }

  change(put: Iterable<ServiceInstance>, removedIds: Iterable<string>): void {
    for (const id of removedIds) {
      this.#held.delete(id);
      this.#instances.delete(id);
    }
    for (const instance of put) {
      this.#held.delete(instance.id);
      this.#instances.set(instance.id, keepIfSame(this.#instances.get(instance.id), instance));
    }
    this.#onNews();
  }

  settled(): void {
    if (this.#held.size === 0) return;
    for (const id of this.#held) this.#instances.delete(id);
    this.#held.clear();
    this.#onNews();
  }

  confirm(): void {
    this.#lastHeardMs = this.#clock.nowMs();
  }

  fail(error: ConnectError, nextAttemptInMs: number): void {
    this.#isCurrent = false;
    this.#problem = { error, nextAttemptMs: this.#clock.nowMs() + nextAttemptInMs };
    for (const [listener, told] of [...this.#listeners]) {
      if (!this.#listeners.has(listener)) continue;
      if (told === undefined && this.isKnown) this.#tell(listener);
      if (this.#listeners.has(listener)) listener.onProblem(this.#describe(this.#problem));
    }
  }

  #onNews(): void {
    this.#lastHeardMs = this.#clock.nowMs();
    const hasRecovered = !this.#isCurrent;
    this.#isCurrent = true;
    this.#problem = undefined;
    this.#hasNews = true;
    if (hasRecovered) {
      // A timer that was to tell old knowledge has nothing to tell any more.
      this.#cancelTimer?.();
      this.#cancelTimer = undefined;
      this.#tellAll(true);
    } else if (this.#cancelTimer === undefined) {
      this.#tellAll(false);
    }
  }

  #onTimer(): void {
    this.#cancelTimer = undefined;
    if (this.#hasNews) this.#tellAll(false);
    else {
      for (const [listener, told] of [...this.#listeners]) {
        if (told === undefined && this.#listeners.has(listener)) this.#tell(listener);
      }
    }
  }

  #tellAll(evenIfSame: boolean): void {
    this.#hasNews = false;
    this.#cancelTimer = this.#clock.after(minBetweenSnapshotsMs, () => this.#onTimer());
    for (const listener of [...this.#listeners.keys()]) {
      if (this.#listeners.has(listener)) this.#tell(listener, evenIfSame);
    }
  }

  #tell(listener: WatchListener, evenIfSame = true): void {
    const told = this.#listeners.get(listener);
    const snapshot = this.#snapshotSince(told);
    const isSame = snapshot.added.length + snapshot.changed.length + snapshot.removed.length === 0;
    if (isSame && told !== undefined && !evenIfSame) return;
    this.#listeners.set(listener, new Map(this.#instances));
    listener.onSnapshot(snapshot);
  }

  #snapshotSince(told: ReadonlyMap<string, ServiceInstance> | undefined): ServiceSnapshot {
    const instances = [...this.#instances.values()];
    return { name: this.#name, instances, ...changesSince(told, this.#instances), ageMs: this.ageMs ?? 0 };
  }

  #describe({ error, nextAttemptMs }: { readonly error: ConnectError; readonly nextAttemptMs: number }): WatchProblem {
    return { error, ageMs: this.ageMs, nextAttemptInMs: Math.max(0, nextAttemptMs - this.#clock.nowMs()) };
  }
}

/** What is new to somebody who knows `told`. An instance that did not change is the same object. */
export function changesSince(
  told: ReadonlyMap<string, ServiceInstance> | undefined,
  now: ReadonlyMap<string, ServiceInstance>,
): Pick<ServiceSnapshot, "added" | "changed" | "removed"> {
  const added: ServiceInstance[] = [];
  const changed: ServiceInstance[] = [];
  for (const [id, instance] of now) {
    const before = told?.get(id);
    if (before === undefined) added.push(instance);
    else if (before !== instance) changed.push(instance);
  }
  const removed = told === undefined ? [] : [...told.values()].filter(({ id }) => !now.has(id));
  return { added, changed, removed };
}

/** The object that was told before stands for "unchanged". */
function keepIfSame(before: ServiceInstance | undefined, now: ServiceInstance): ServiceInstance {
  return before !== undefined && isSameInstance(before, now) ? before : now;
}
