import type { ServiceInstance } from "../port/instance.ts";

/** A part of what a watcher must receive next. */
export interface ChangeBatch {
  readonly put: readonly ServiceInstance[];
  readonly removedIds: readonly string[];
  /** More of the same change follows at once. */
  readonly continues: boolean;
}

/**
 * What one watcher has not received yet, by instance: of several changes to one instance the last. It holds as many entries as
 * there are instances at most, however slowly the watcher reads.
 */
export class PendingChanges {
  readonly #byId = new Map<string, ServiceInstance | undefined>();
  #wake: (() => void) | undefined;

  get isEmpty(): boolean {
    return this.#byId.size === 0;
  }

  put(instance: ServiceInstance): void {
    this.#byId.set(instance.id, instance);
    this.#wake?.();
  }

  removed(id: string): void {
    this.#byId.set(id, undefined);
    this.#wake?.();
  }

  /** Resolves when a change is pending, which may be at once, or when `wake` is called. One at a time. */
  whenNotEmpty(): Promise<void> {
    if (!this.isEmpty) return Promise.resolve();
    return new Promise((resolve) => {
      this.#wake = () => {
        this.#wake = undefined;
        resolve();
      };
    });
  }

  wake(): void {
    this.#wake?.();
  }

  /** Takes up to `max` entries out. */
  take(max: number): ChangeBatch {
    const put: ServiceInstance[] = [];
    const removedIds: string[] = [];
    for (const [id, instance] of this.#byId) {
      if (put.length + removedIds.length === max) break;
      this.#byId.delete(id);
      if (instance === undefined) removedIds.push(id);
      else put.push(instance);
    }
    return { put, removedIds, continues: !this.isEmpty };
  }
}
