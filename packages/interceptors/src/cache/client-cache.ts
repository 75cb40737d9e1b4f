import { type DescMessage, fromBinary, type Message, toBinary } from "@bufbuild/protobuf";
import { MethodOptions_IdempotencyLevel } from "@bufbuild/protobuf/wkt";
import { Code, ConnectError, type Interceptor, type UnaryRequest, type UnaryResponse } from "@connectrpc/connect";
import { authorityOf } from "../call/authority-of.ts";
import { methodPath } from "../call/method-path.ts";
import { type ByMethod, checkSelectors, createMethodTable, type MethodSelector } from "../call/method-selector.ts";
import { clockOption, namesOption, type OptionsOf, own, readOptions, wholeNumber } from "../call/options.ts";
import { orAborted } from "../call/or-aborted.ts";
import { withMembers } from "../call/with-members.ts";
import type { CacheObserver } from "./cache-observer.ts";
import { Lru } from "./lru.ts";

const cacheRuleOptions = {
  /** How long a response is valid, in milliseconds. Default: `ttlMs` of the cache. */
  ttlMs: wholeNumber(1),
};

/** The cache options of a method. */
export type CacheRule = OptionsOf<typeof cacheRuleOptions>;

export const clientCacheOptions = {
  /** How long a response is valid. Default 60,000 ms. */
  ttlMs: wholeNumber(1).or(60_000),
  /**
   * The cached methods, with their own `ttlMs` if it differs; false excludes a method. Default: the methods that declare
   * `idempotency_level = NO_SIDE_EFFECTS`.
   */
  methods: own<ByMethod<CacheRule | false>>("an object with rules by method").or({}),
  /** The maximum number of responses. The least recently used one is dropped. Default 1000. */
  maxEntries: wholeNumber(1).or(1000),
  /** The maximum total size of the responses, including keys and headers. Default 16,777,216 (16 MiB). */
  maxBytes: wholeNumber(1).or(16 * 1024 * 1024),
  /** Request metadata on which responses depend. Default `authorization` and `cookie`, so that no caller gets the response of another. */
  vary: namesOption().or(["authorization", "cookie"]),
  /** Counts lookups: `countCacheLookups`. Default: none. */
  observer: own<CacheObserver>("an object with the methods onHit, onMiss or onShared"),
  /** For tests. */
  clock: clockOption(),
};

export type ClientCacheOptions = OptionsOf<typeof clientCacheOptions>;

/** A caching interceptor for a channel. */
export interface ClientCache extends Interceptor {
  /** The number of cached responses. */
  readonly size: number;
  /** The total size of the cached responses. */
  readonly bytes: number;
  /** Drops the responses of the selected methods: `package.Service/Method`, `package.Service/*`, or `*`, which is the default. */
  invalidate(selector?: MethodSelector): void;
}

interface CachedResponse {
  readonly message: Uint8Array;
  readonly header: readonly [string, string][];
  readonly trailer: readonly [string, string][];
}

/** The result for callers that wait for the same response. Undefined if the call was cancelled or timed out, so they must call themselves. */
type Outcome = { readonly cached: CachedResponse } | { readonly error: ConnectError } | undefined;

/**
 * Creates an interceptor that caches responses of unary methods without side effects in memory, and merges equal concurrent calls into one.
 * Errors are not cached. Each caller gets its own copy of the message.
 *
 * @throws TypeError or RangeError for options that are unknown or out of range
 */
export function createClientCache(options: ClientCacheOptions = {}): ClientCache {
  const where = "createClientCache";
  const settings = readOptions(where, clientCacheOptions, options);
  const { ttlMs, vary, observer, clock } = settings;
  const byMethod = createMethodTable(where, "methods", settings.methods);
  for (const [selector, rule] of Object.entries(settings.methods)) {
    if (rule !== false) readOptions(`${where}: methods["${selector}"]`, cacheRuleOptions, rule);
  }
  const lru = new Lru<CachedResponse>(settings, clock);
  const flights = new Map<string, Promise<Outcome>>();
  /** Counts invalidations: a response to a call that started before one must not be cached after it. */
  let era = 0;

  function ttlOf(request: UnaryRequest): number | undefined {
    const rule = byMethod.find(request.method)?.value;
    if (rule === false) return undefined;
    if (rule !== undefined) return rule.ttlMs ?? ttlMs;
    return request.method.idempotency === MethodOptions_IdempotencyLevel.NO_SIDE_EFFECTS ? ttlMs : undefined;
  }

  function keyOf(request: UnaryRequest): string {
    const headers = vary.map((name) => request.header.get(name));
    const message = toBinary(request.method.input as DescMessage, request.message as Message);
    // The method comes first, so that its entries have a common prefix.
    return `${methodPath(request)} ${JSON.stringify([authorityOf(request.url), headers])} ${latin1(message)}`;
  }

  async function look(request: UnaryRequest, lifeMs: number, next: ReturnType<Interceptor>): Promise<UnaryResponse> {
    const method = methodPath(request);
    const key = keyOf(request);
    for (;;) {
      const known = lru.get(key);
      if (known !== undefined) {
        observer?.onHit?.(method);
        return responseOf(request, known);
      }
      const flight = flights.get(key);
      if (flight === undefined) break;
      observer?.onShared?.(method);
      const outcome = await orAborted(flight, request.signal);
      if (outcome === undefined) continue;
      if ("error" in outcome) throw outcome.error;
      return responseOf(request, outcome.cached);
    }
    observer?.onMiss?.(method);
    const begun = era;
    const fetching = (next(request) as Promise<UnaryResponse>).then((response) => {
      const cached = toCached(response);
      if (begun === era) lru.set(key, cached, bytesOf(cached), lifeMs);
      return { response, cached };
    });
    const flight = fetching.then(({ cached }): Outcome => ({ cached }), sharedFailure);
    flights.set(key, flight);
    try {
      return (await fetching).response;
    } finally {
      if (flights.get(key) === flight) flights.delete(key);
    }
  }

  const interceptor: Interceptor = (next) => async (request) => {
    if (request.stream) return next(request);
    const lifeMs = ttlOf(request);
    return lifeMs === undefined ? next(request) : look(request, lifeMs, next);
  };
  return withMembers(interceptor, {
    get size() {
      return lru.size;
    },
    get bytes() {
      return lru.bytes;
    },
    invalidate(selector: MethodSelector = "*") {
      checkSelectors("invalidate", "selector", [selector], undefined);
      era++;
      // A later call must not wait for one that started before.
      flights.clear();
      // A key starts with the method's path and a space.
      lru.deletePrefix(selector.endsWith("*") ? selector.slice(0, -1) : `${selector} `);
    },
  });
}

function sharedFailure(reason: unknown): Outcome {
  const error = ConnectError.from(reason);
  return error.code === Code.Canceled || error.code === Code.DeadlineExceeded ? undefined : { error };
}

function toCached(response: UnaryResponse): CachedResponse {
  return {
    message: toBinary(response.method.output as DescMessage, response.message as Message),
    header: [...response.header],
    trailer: [...response.trailer],
  };
}

function responseOf(request: UnaryRequest, cached: CachedResponse): UnaryResponse {
  return {
    stream: false,
    service: request.service,
    method: request.method,
    header: new Headers(cached.header as [string, string][]),
    trailer: new Headers(cached.trailer as [string, string][]),
    message: fromBinary(request.method.output, cached.message),
  } as UnaryResponse;
}

function bytesOf({ message, header, trailer }: CachedResponse): number {
  return [...header, ...trailer].reduce((sum, [name, value]) => sum + name.length + value.length, message.length);
}

/** Converts each byte to a character, which is lossless and half the size of hexadecimal. */
function latin1(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("latin1");
}
