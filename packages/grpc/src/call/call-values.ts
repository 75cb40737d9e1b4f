import type { ContextKey, ContextValues } from "@connectrpc/connect";

/**
 * Connect's context values for one call. A call has a handful, which two short lists hold and find faster than an object whose
 * properties come one by one.
 */
export class CallValues implements ContextValues {
  private readonly ids: symbol[] = [];
  private readonly values: unknown[] = [];

  get<T>(key: ContextKey<T>): T {
    const at = this.ids.indexOf(key.id);
    return at === -1 ? key.defaultValue : (this.values[at] as T);
  }

  set<T>(key: ContextKey<T>, value: T): this {
    const at = this.ids.indexOf(key.id);
    if (at === -1) {
      this.ids.push(key.id);
      this.values.push(value);
    } else {
      this.values[at] = value;
    }
    return this;
  }

  delete(key: ContextKey<unknown>): this {
    const at = this.ids.indexOf(key.id);
    if (at === -1) return this;
    this.ids.splice(at, 1);
    this.values.splice(at, 1);
    return this;
  }
}
