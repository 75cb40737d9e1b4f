import { safeLog, thrownText } from "@tercel/grpc/internal";
import {
  callback,
  logOption,
  type OptionsOf,
  own,
  readOptions,
  text,
  wholeNumber,
  withMethods,
} from "../call/options.ts";
import type { CacheObserver } from "./cache-observer.ts";
import type { CacheStore } from "./cache-store.ts";

export function cacheAsideOptions<T>() {
  return {
    /** The store of the values: `createMemoryCacheStore()` or `createRedisCacheStore({ client })`. Required. */
    store: withMethods<CacheStore>("a store, for example createMemoryCacheStore()", "get", "set", "delete").required(),
    /** How long a value is valid. Default 300,000 ms. Each value expires up to a tenth earlier, so that not all expire at once. */
    ttlMs: wholeNumber(1).or(300_000),
    /** How long to cache that a value does not exist (`load` returned undefined), in milliseconds. Default 0: not cached. */
    negativeTtlMs: wholeNumber(0).or(0),
    /** The name of the cache for the observer, and the prefix of its keys. Default `values`. */
    name: text().or("values"),
    /** Converts a value to a string. Default JSON. */
    encode: callback<(value: T) => string>().or((value) => JSON.stringify(value)),
    /** Converts a string to a value. Default JSON. */
    decode: callback<(text: string) => T>().or((encoded) => JSON.parse(encoded) as T),
    /** Counts lookups: `countCacheLookups`. Default: none. */
    observer: own<CacheObserver>("an object with the methods onHit, onMiss or onShared"),
    /** Receives a warning when the store fails. Default: standard error. */
    log: logOption(),
    /** For tests: a number from 0 up to 1. Default `Math.random`. */
    random: callback<() => number>().or(() => Math.random()),
  };
}

export type CacheAsideOptions<T> = OptionsOf<ReturnType<typeof cacheAsideOptions<T>>>;

export interface CacheAside<T> {
  /** Returns the cached value; undefined if it is not cached, or known not to exist. */
  get(key: string): Promise<T | undefined>;
  /**
   * Caches a value. The result of a `load` that started before is not cached. Resolves with false if the store failed, which is logged.
   * Never rejects.
   */
  set(key: string, value: T): Promise<boolean>;
  /**
   * Returns the cached value, or the result of `load`, which runs once at a time for a key in this process. All waiting callers get an error
   * of `load`, which is not cached. If the store fails, the failure is logged and the store is bypassed.
   */
  getOrLoad(key: string, load: () => Promise<T | undefined>): Promise<T | undefined>;
  /**
   * Removes a value that has changed. The result of a `load` that started before is not cached. Resolves with false if the store failed,
   * which is logged: the old value may then be read until it expires. Never rejects, so it need not be awaited.
   */
  invalidate(key: string): Promise<boolean>;
  /** As `invalidate`, for all keys with this prefix. */
  invalidatePrefix(prefix: string): Promise<boolean>;
}

/** The first character of a stored string: the value exists, or is known not to exist. */
const present = "1";
const absent = "0";

interface Flight<T> {
  readonly loading: Promise<T | undefined>;
  isStale: boolean;
}

/**
 * Creates a cache for values that are slow to load: it looks in the store, and loads and stores missing values.
 *
 * @throws TypeError or RangeError for options that are unknown or out of range
 */
export function createCacheAside<T>(options: CacheAsideOptions<T>): CacheAside<T> {
  const settings = readOptions("createCacheAside", cacheAsideOptions<T>(), options);
  const { store, observer, random, ttlMs, negativeTtlMs, name, encode, decode } = settings;
  const log = safeLog(settings.log);
  const flights = new Map<string, Flight<T>>();
  const storedAs = (key: string) => `${name}:${key}`;

  async function attempt<R>(step: string, use: () => Promise<R>): Promise<R | undefined> {
    try {
      return await use();
    } catch (error) {
      log.warn("cache failure", { cache: name, step, error: thrownText(error) });
      return undefined;
    }
  }

  /** Returns the value in a wrapper, because undefined can be a cached value. */
  async function find(key: string): Promise<{ readonly value: T | undefined } | undefined> {
    const stored = await attempt("get", () => store.get(storedAs(key)));
    if (stored === undefined) return undefined;
    if (stored === absent) return { value: undefined };
    return attempt("decode", async () => ({ value: decode(stored.slice(present.length)) }));
  }

  /** Stores a value. Resolves with false if the store failed. */
  async function keep(key: string, value: T | undefined): Promise<boolean> {
    const lifeMs = value === undefined ? negativeTtlMs : ttlMs;
    if (lifeMs === 0) return true;
    const isKept = await attempt("set", async () => {
      const stored = value === undefined ? absent : present + encode(value);
      await store.set(storedAs(key), stored, Math.max(1, Math.ceil(lifeMs * (1 - random() / 10))));
      return true;
    });
    return isKept ?? false;
  }

  /** Finds a value and reports the lookup to the observer. */
  async function lookUp(key: string): Promise<{ readonly value: T | undefined } | undefined> {
    const known = await find(key);
    if (known === undefined) observer?.onMiss?.(name);
    else observer?.onHit?.(name);
    return known;
  }

  async function fetch(
    key: string,
    load: () => Promise<T | undefined>,
    isStale: () => boolean,
  ): Promise<T | undefined> {
    const known = await lookUp(key);
    if (known !== undefined) return known.value;
    const value = await load();
    if (!isStale()) {
      await keep(key, value);
      // Invalidated during the write: the old value may have been written after the deletion.
      if (isStale()) await attempt("delete", () => store.delete(storedAs(key)));
    }
    return value;
  }

  async function forget(use: () => Promise<void>): Promise<boolean> {
    const isForgotten = await attempt("delete", async () => {
      await use();
      return true;
    });
    return isForgotten ?? false;
  }

  function drop(key: string): void {
    const flight = flights.get(key);
    if (flight === undefined) return;
    flight.isStale = true;
    flights.delete(key);
  }

  return {
    async get(key) {
      return (await lookUp(key))?.value;
    },
    async set(key, value) {
      drop(key);
      return keep(key, value);
    },
    getOrLoad(key, load) {
      const running = flights.get(key);
      if (running !== undefined) {
        observer?.onShared?.(name);
        return running.loading;
      }
      const flight: { loading: Promise<T | undefined>; isStale: boolean } = {
        loading: Promise.resolve(undefined),
        isStale: false,
      };
      flight.loading = fetch(key, load, () => flight.isStale).finally(() => {
        if (flights.get(key) === flight) flights.delete(key);
      });
      flights.set(key, flight);
      return flight.loading;
    },
    async invalidate(key) {
      drop(key);
      return forget(() => store.delete(storedAs(key)));
    },
    async invalidatePrefix(prefix) {
      for (const key of [...flights.keys()]) if (key.startsWith(prefix)) drop(key);
      return forget(() => store.deletePrefix(storedAs(prefix)));
    },
  };
}
