import { type DescMessage, fromBinary, type MessageShape, toBinary } from "@bufbuild/protobuf";
import type { Log } from "@tercel/grpc";
import { checkWholeNumber, refuseUnknownOptions } from "@tercel/grpc/internal";
import { type CacheObserver, type CacheStore, createCacheAside } from "@tercel/interceptors/cache";

/** A cache of messages of one type by key. Entries may be dropped at any time. */
export interface Cache<Message> {
  /** Returns the message, or undefined if it is not cached. A failure of the store is logged and counts as a miss. */
  get(key: string): Promise<Message | undefined>;
  /** Stores a message. Resolves to false if the store failed, which is logged. */
  set(key: string, message: Message): Promise<boolean>;
  /**
   * Removes a message after a change, even while it is being loaded. Resolves to false if the store failed, which is logged: the old message may
   * then be returned until it expires.
   */
  delete(key: string): Promise<boolean>;
  /**
   * Returns the message from the cache, else from `load`, which runs once per key at a time in this process. An error of `load` is thrown to all
   * waiting callers and not cached.
   */
  getOrLoad(key: string, load: () => Promise<Message | undefined>): Promise<Message | undefined>;
}

export interface CacheOptions {
  /** Lifetime of a message. Default 300,000. Each lifetime is shortened by up to a tenth, so that not all messages expire at once. */
  readonly ttlMs?: number;
  /** How long the absence of a message is cached. Default 0: not at all. */
  readonly negativeTtlMs?: number;
  /** Prefix of every key, and label of metrics. Default: the type's full name. */
  readonly name?: string;
}

export interface CacheHost {
  readonly store: CacheStore;
  readonly log: Log;
  readonly observer?: CacheObserver;
}

/**
 * Creates a cache for messages of one type. They are stored in protobuf's binary format, so that releases with different fields can share it.
 *
 * @throws TypeError or RangeError for unknown or out-of-range options
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
    // Stores take strings.
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
