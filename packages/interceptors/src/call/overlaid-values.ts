import type { ContextKey, ContextValues } from "@connectrpc/connect";

/**
 * Returns a view of the context values with one more value. The originals do not change, because a caller may reuse them for its next call.
 */
export function overlaidValues<T>(values: ContextValues, key: ContextKey<T>, value: T): ContextValues {
  const given = new Map<symbol, unknown>([[key.id, value]]);
  return {
    get<V>(asked: ContextKey<V>): V {
      return given.has(asked.id) ? (given.get(asked.id) as V) : values.get(asked);
    },
    set<V>(asked: ContextKey<V>, to: V) {
      if (given.has(asked.id)) given.set(asked.id, to);
      else values.set(asked, to);
      return this;
    },
    delete(asked: ContextKey<unknown>) {
      if (!given.delete(asked.id)) values.delete(asked);
      return this;
    },
  };
}
