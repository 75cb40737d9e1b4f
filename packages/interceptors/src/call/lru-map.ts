/**
 * A map of at most `maxEntries` that forgets what was not used lately. In two generations: whatever is used moves to the younger one,
 * and when that is full the older one is dropped. So reading a key in use changes nothing; moving it to the end of one Map with each
 * reading was measured to be very slow in large maps.
 */
export class LruMap<K, V> {
  private young = new Map<K, V>();
  private old = new Map<K, V>();
  private readonly maxEntries: number;
  private readonly maxYoung: number;

  constructor(maxEntries: number) {
    this.maxEntries = maxEntries;
    this.maxYoung = Math.max(1, Math.floor(maxEntries / 2));
  }

  get size(): number {
    return this.young.size + this.old.size;
  }

  get(key: K): V | undefined {
    const value = this.young.get(key);
    if (value !== undefined) return value;
    const older = this.old.get(key);
    if (older !== undefined) this.set(key, older);
    return older;
  }

  set(key: K, value: V): void {
    if (this.maxEntries === 0) return;
    this.old.delete(key);
    if (!this.young.has(key) && this.young.size >= this.maxYoung) {
      this.old = this.maxEntries === 1 ? new Map() : this.young;
      this.young = new Map();
    }
    this.young.set(key, value);
  }

  delete(key: K): void {
    this.young.delete(key);
    this.old.delete(key);
  }
}
