import type { Clock } from "@tercel/grpc";
import { ProcessHold } from "@tercel/grpc/internal";
import { checkServiceName } from "./instance.ts";
import type { Watch, WatchListener, WatchOptions } from "./registry.ts";
import { WatchedService, type WatchSink } from "./watched-service.ts";

/** Starts to follow a service in the registry. May report to `sink` before it returns. The returned function stops it. */
export type FollowService = (name: string, sink: WatchSink) => () => void;

/** Up to this number, services without a watcher are remembered: a channel that leaves idle mode finds their last instances. */
const maxKept = 1000;

/** Shares one request to the registry among all watches of a service, and remembers the last known instances. */
export class WatchHub {
  readonly #clock: Clock;
  readonly #follow: FollowService;
  /** Ordered by the time of their latest watch, oldest first. */
  readonly #services = new Map<string, WatchedService>();
  readonly #unfollow = new Map<string, () => void>();
  readonly #hold: ProcessHold;
  /** The number of open watches that keep the process alive. The requests that follow services never do. */
  #keeping = 0;
  #isClosed = false;

  constructor(clock: Clock, follow: FollowService) {
    this.#hold = new ProcessHold(clock);
    this.#clock = clock;
    this.#follow = follow;
  }

  watch(name: string, listener: WatchListener, options: WatchOptions = {}): Watch {
    checkServiceName("watch", name);
    if (this.#isClosed) throw new Error("the registry is closed");
    const service = this.#services.get(name) ?? new WatchedService(name, this.#clock);
    this.#services.delete(name);
    this.#services.set(name, service);
    // A separate object for each watch, because a caller may pass the same listener twice.
    const entry: WatchListener = {
      onSnapshot: (snapshot) => listener.onSnapshot(snapshot),
      onProblem: (problem) => listener.onProblem(problem),
    };
    service.add(entry);
    let isKeeping = options.keepsProcessAlive ?? true;
    if (isKeeping) this.#keep(1);
    if (!this.#unfollow.has(name)) this.#startFollowing(name, service);
    return {
      get ageMs() {
        return service.ageMs;
      },
      close: () => {
        if (isKeeping) this.#keep(-1);
        isKeeping = false;
        service.remove(entry);
        if (!service.hasListeners) this.#stopFollowing(name, service);
      },
    };
  }

  close(): void {
    this.#isClosed = true;
    this.#hold.stop();
    for (const [name, service] of this.#services) this.#stopFollowing(name, service);
    this.#services.clear();
  }

  #keep(change: 1 | -1): void {
    this.#keeping += change;
    if (this.#keeping > 0 && !this.#isClosed) this.#hold.start();
    else this.#hold.stop();
  }

  #startFollowing(name: string, service: WatchedService): void {
    let isOver = false;
    let stop: (() => void) | undefined;
    this.#unfollow.set(name, () => {
      isOver = true;
      stop?.();
    });
    // Ignores what an ended request still reports, because the next one may have started.
    const once = <Args extends readonly unknown[]>(run: (...args: Args) => void) => {
      return (...args: Args): void => {
        if (!isOver) run(...args);
      };
    };
    stop = this.#follow(name, {
      replace: once((instances, options) => service.replace(instances, options)),
      change: once((put, removedIds) => service.change(put, removedIds)),
      settled: once(() => service.settled()),
      confirm: once(() => service.confirm()),
      fail: once((error, nextAttemptInMs) => service.fail(error, nextAttemptInMs)),
    });
    if (isOver) stop();
  }

  #stopFollowing(name: string, service: WatchedService): void {
    const unfollow = this.#unfollow.get(name);
    if (unfollow === undefined) return;
    this.#unfollow.delete(name);
    unfollow();
    service.onUnfollowed();
    if (!service.isKnown) this.#services.delete(name);
    for (const [kept, { hasListeners }] of this.#services) {
      if (this.#services.size <= maxKept) break;
      if (!hasListeners) this.#services.delete(kept);
    }
  }
}
