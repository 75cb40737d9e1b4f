import { type DescMessage, fromBinary, type MessageShape, toBinary } from "@bufbuild/protobuf";
import type { Log } from "@tercel/grpc";
import { checkWholeNumber, refuseUnknownOptions } from "@tercel/grpc/internal";
import { type CacheObserver, type CacheStore, createCacheAside } from "@tercel/interceptors/cache";

/** Messages of one type by a key: a copy of what is dear to read, which may be gone at any time. */
export interface Cache<Message> {
  /** Returns the message, or undefined if it is not there. A store that fails is logged and taken for empty. */
  get(key: string): Promise<Message | undefined>;
  /** Keeps a message. False when the store failed, which is logged. */
  set(key: string, message: Message): Promise<boolean>;
  /**
   * Forgets a message after it has changed, also one that is being loaded. False when the store failed, which is logged: the old message may
   * then be read until its time is over.
   */
  delete(key: string): Promise<boolean>;
  /**
   * Returns the message from the cache, else from `load`, of which one runs for a key at a time in this process. What `load` throws is thrown
   * to all who wait, and is not kept.
   */
  getOrLoad(key: string, load: () => Promise<Message | undefined>): Promise<Message | undefined>;
}

export interface CacheOptions {
  /** How long a message is good. Default 300,000. Each one's time is up to a tenth shorter, so that not all end at once. */
  readonly ttlMs?: number;
  /** How long it is remembered that `load` found nothing. Default 0: it is not. */
  readonly negativeTtlMs?: number;
  /** Put before every key, and the label of metrics. Default: the type's full name. */
  readonly name?: string;
}

export interface CacheHost {
  readonly store: CacheStore;
  readonly log: Log;
  readonly observer?: CacheObserver;
}

/**
 * Makes a cache for messages of one type. They are kept in protobuf's binary format, so releases with different fields can share it.
 *
 * @throws TypeError or RangeError for options that are unknown or out of bounds
 */
export function createCache<Desc extends DescMessage>(
  schema: Desc,
  options: CacheOptions,
  { store, log, observer }: CacheHost,
): Cache<MessageShape<Desc>> {
  const where = `cache ${schema.typeName}`;
  refuseUnknownOptions(where, options, ["ttlMs", "negativeTtlMs", "name"]);
  checkWholeNumber(where, "ttlMs", options.ttlMs, 1, Number.MAX_SAFE_INTEGER);
  checkWholeNumber(where, "negativeTtlMs", options.negativeTtlMs, 0, Number.MAX_SAFE_INTEGER);
  const { ttlMs = 300_000, negativeTtlMs = 0, name = schema.typeName } = options;
  const aside = createCacheAside<MessageShape<Desc>>({
    store,
    ttlMs,
    negativeTtlMs,
    name,
    log,
    // Stores keep text.
    encode: (message) => Buffer.from(toBinary(schema, message)).toString("base64"),
    decode: (text) => fromBinary(schema, Buffer.from(text, "base64")),
    ...(observer !== undefined && { observer }),
  });
  return {
    get: (key) => aside.get(key),
    set: (key, message) => aside.set(key, message),
    delete: (key) => aside.invalidate(key),
    getOrLoad: (key, load) => aside.getOrLoad(key, load),
  };
}
