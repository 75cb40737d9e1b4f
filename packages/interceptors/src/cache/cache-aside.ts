import type { Log } from "@tercel/grpc";
import { checkWholeNumber, refuseUnknownOptions, safeLog, thrownText } from "@tercel/grpc/internal";
import type { CacheObserver } from "./cache-observer.ts";
import type { CacheStore } from "./cache-store.ts";

export interface CacheAsideOptions<T> {
  store: CacheStore;
  /** How long a value is good. Default 300,000 ms. Each value's time is up to a tenth shorter, so that not all end at once. */
  ttlMs?: number;
  /** How long it is remembered that there is no value (`load` gave undefined). Default: it is not. */
  negativeTtlMs?: number;
  /** For the observer, and put before every key. Default `values`. */
  name?: string;
  /** How a value becomes text, and text a value again. Default JSON. */
  encode?: (value: T) => string;
  decode?: (text: string) => T;
  observer?: CacheObserver;
  log?: Log;
  /** From 0 up to 1. Default `Math.random`. */
  random?: () => number;
}

export interface CacheAside<T> {
  /** The value from the cache; undefined if there is none, or if it is known that there is none. */
  get(key: string): Promise<T | undefined>;
  /**
   * Keeps a value that the caller has, in place of what there was. A `load` that began before is not kept. False when the store failed, which
   * is logged. Never rejects.
   */
  set(key: string, value: T): Promise<boolean>;
  /**
   * The value from the cache, else from `load`, of which one runs for a key at a time in this process. What `load` throws goes to all
   * who wait, and is not kept. A store that fails is logged and gone round.
   */
  getOrLoad(key: string, load: () => Promise<T | undefined>): Promise<T | undefined>;
  /**
   * After the value has changed. A `load` that began before is not kept. False when the store failed, which is logged: the old value may
   * then be read until its time is over. Never rejects, so it need not be awaited.
   */
  invalidate(key: string): Promise<boolean>;
  /** The same for all keys that begin so. */
  invalidatePrefix(prefix: string): Promise<boolean>;
}

/** In front of a stored text: there is a value, or it is known that there is none. */
const present = "1";
const absent = "0";

interface Flight<T> {
  readonly loading: Promise<T | undefined>;
  isStale: boolean;
}

/**
 * Puts a cache next to what is slow to read: look there first, load what is missing, keep it.
 *
 * @throws TypeError or RangeError for options that are unknown or out of bounds
 */
export function createCacheAside<T>(options: CacheAsideOptions<T>): CacheAside<T> {
  const where = "createCacheAside";
  refuseUnknownOptions(where, options, [
    "store",
    "ttlMs",
    "negativeTtlMs",
    "name",
    "encode",
    "decode",
    "observer",
    "log",
    "random",
  ]);
  checkWholeNumber(where, "ttlMs", options.ttlMs, 1, Number.MAX_SAFE_INTEGER);
  checkWholeNumber(where, "negativeTtlMs", options.negativeTtlMs, 0, Number.MAX_SAFE_INTEGER);
  const { store, observer, random = Math.random } = options;
  const log = safeLog(options.log);
  const { ttlMs = 300_000, negativeTtlMs = 0, name = "values" } = options;
  const encode = options.encode ?? ((value: T) => JSON.stringify(value));
  const decode = options.decode ?? ((text: string) => JSON.parse(text) as T);
  const flights = new Map<string, Flight<T>>();
  const storedAs = (key: string) => `${name}:${key}`;

  async function attempt<R>(step: string, use: () => Promise<R>): Promise<R | undefined> {
    try {
      return await use();
    } catch (error) {
      log.warn("a cache failed", { cache: name, step, error: thrownText(error) });
      return undefined;
    }
  }

  /** A value in a wrapper, because undefined may be what is known. */
  async function find(key: string): Promise<{ readonly value: T | undefined } | undefined> {
    const text = await attempt("get", () => store.get(storedAs(key)));
    if (text === undefined) return undefined;
    if (text === absent) return { value: undefined };
    return attempt("decode", async () => ({ value: decode(text.slice(present.length)) }));
  }

  /** False when the store failed. */
  async function keep(key: string, value: T | undefined): Promise<boolean> {
    const lifeMs = value === undefined ? negativeTtlMs : ttlMs;
    if (lifeMs === 0) return true;
    const isKept = await attempt("set", async () => {
      const text = value === undefined ? absent : present + encode(value);
      await store.set(storedAs(key), text, Math.max(1, Math.ceil(lifeMs * (1 - random() / 10))));
      return true;
    });
    return isKept ?? false;
  }

  /** What is known, reported to the observer. */
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
      // Invalidated while it was being written: the old value may have come after.
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
