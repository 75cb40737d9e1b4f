/** Told of each look-up, for a counter: nothing of it may throw. `name` is a method or the name of a cache, never a key. */
export interface CacheObserver {
  onHit?(name: string): void;
  onMiss?(name: string): void;
  /** The value was being fetched by somebody else already. */
  onShared?(name: string): void;
}
