import type { ServiceInstance } from "../port/instance.ts";

/** The next changes for a watcher, or a part of them. */
export interface ChangeBatch {
  readonly put: readonly ServiceInstance[];
  readonly removedIds: readonly string[];
  /** Whether the next batch belongs to the same change. */
  readonly continues: boolean;
}

/**
 * The changes that one watcher has not received yet: the last one for each instance. However slowly the watcher reads, it never holds
 * more than one entry for an instance.
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

  /** Resolves as soon as a change is pending, or when `wake` is called. Only one call may wait at a time. */
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

  /** Removes and returns up to `max` changes. */
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
