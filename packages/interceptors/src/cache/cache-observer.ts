/** Receives each lookup, for counters. Its methods must not throw. `name` is a method or the name of a cache, never a key. */
export interface CacheObserver {
  onHit?(name: string): void;
  onMiss?(name: string): void;
  /** Another caller was already loading the value. */
  onShared?(name: string): void;
}
