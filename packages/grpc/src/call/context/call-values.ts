import type { ContextKey, ContextValues } from "@connectrpc/connect";

/** Keys and values of as many as the interceptors of ours put there; with more the list grows. */
const roomyLength = 12;

/**
 * Connect's context values for one call: key, value, key, value, … A call has a handful, which a short list holds and finds faster than an
 * object whose properties come one by one.
 */
export class CallValues implements ContextValues {
  // Of its length at once: a list that grows by what is pushed takes room for seventeen.
  private readonly slots = new Array<unknown>(roomyLength);
  private used = 0;

  get<T>(key: ContextKey<T>): T {
    const at = this.find(key.id);
    return at === -1 ? key.defaultValue : (this.slots[at + 1] as T);
  }

  set<T>(key: ContextKey<T>, value: T): this {
    let at = this.find(key.id);
    if (at === -1) {
      at = this.used;
      this.used += 2;
      this.slots[at] = key.id;
    }
    this.slots[at + 1] = value;
    return this;
  }

  delete(key: ContextKey<unknown>): this {
    const at = this.find(key.id);
    if (at === -1) return this;
    this.slots.splice(at, 2);
    this.used -= 2;
    return this;
  }

  private find(id: symbol): number {
    const { slots, used } = this;
    for (let at = 0; at < used; at += 2) {
      if (slots[at] === id) return at;
    }
    return -1;
  }
}
