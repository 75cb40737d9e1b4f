import { type DescMessage, fromBinary, type Message, toBinary } from "@bufbuild/protobuf";
import { MethodOptions_IdempotencyLevel } from "@bufbuild/protobuf/wkt";
import { Code, ConnectError, type Interceptor, type UnaryRequest, type UnaryResponse } from "@connectrpc/connect";
import { type Clock, systemClock } from "@tercel/grpc";
import { checkWholeNumber, refuseUnknownOptions } from "@tercel/grpc/internal";
import { authorityOf } from "../call/authority-of.ts";
import { methodPath } from "../call/method-path.ts";
import { createMethodTable } from "../call/method-table.ts";
import { orAborted } from "../call/or-aborted.ts";
import type { CacheObserver } from "./cache-observer.ts";
import { Lru } from "./lru.ts";

export interface ClientCacheOptions {
  /** How long an answer is good. Default 60,000 ms. */
  ttlMs?: number;
  /**
   * Methods (`package.Service/Method`) or services whose answers are kept although they do not declare `idempotency_level =
   * NO_SIDE_EFFECTS`, or with another `ttlMs`; false leaves one out that does.
   */
  methods?: Readonly<Record<string, { ttlMs?: number } | false>>;
  /** Answers kept; what was unused for longest goes first. Default 1000. */
  maxEntries?: number;
  /** Bytes kept, keys and headers included. Default 16 MiB. */
  maxBytes?: number;
  /** Request metadata on which answers depend. Default `["authorization", "cookie"]`: no caller gets what another may see. */
  vary?: readonly string[];
  observer?: CacheObserver;
  clock?: Clock;
}

export interface ClientCache {
  /** For a channel. */
  readonly interceptor: Interceptor;
  readonly size: number;
  readonly bytes: number;
  /** Forgets all answers of a method (`package.Service/Method`) or a service (`package.Service`), or all there are. */
  invalidate(name?: string): void;
}

interface Answer {
  readonly message: Uint8Array;
  readonly header: readonly [string, string][];
  readonly trailer: readonly [string, string][];
}

/** Undefined says nothing to those who wait: the call ended by its own caller's will or deadline. */
type Outcome = { readonly answer: Answer } | { readonly error: ConnectError } | undefined;

/**
 * Keeps answers of unary methods that have no side effects in the client's memory, and makes one call of many equal ones at once.
 * Errors are not kept. Each caller gets a message of its own.
 *
 * @throws TypeError or RangeError for options that are unknown or out of bounds
 */
export function createClientCache(options: ClientCacheOptions = {}): ClientCache {
  const where = "createClientCache";
  refuseUnknownOptions(where, options, ["ttlMs", "methods", "maxEntries", "maxBytes", "vary", "observer", "clock"]);
  const most = Number.MAX_SAFE_INTEGER;
  checkWholeNumber(where, "ttlMs", options.ttlMs, 1, most);
  checkWholeNumber(where, "maxEntries", options.maxEntries, 1, most);
  checkWholeNumber(where, "maxBytes", options.maxBytes, 1, most);
  for (const [name, rule] of Object.entries(options.methods ?? {})) {
    if (rule === false) continue;
    refuseUnknownOptions(`${where}: ${name}`, rule, ["ttlMs"]);
    checkWholeNumber(`${where}: ${name}`, "ttlMs", rule.ttlMs, 1, most);
  }
  const { ttlMs = 60_000, vary = ["authorization", "cookie"], observer, clock = systemClock } = options;
  const byMethod = createMethodTable(where, "methods", options.methods);
  const lru = new Lru<Answer>(
    { maxEntries: options.maxEntries ?? 1000, maxBytes: options.maxBytes ?? 16 * 1024 * 1024 },
    clock,
  );
  const flights = new Map<string, Promise<Outcome>>();
  /** Counts invalidations: an answer that was under way before one must not be kept after it. */
  let era = 0;

  function ttlOf(request: UnaryRequest): number | undefined {
    const rule = byMethod.find(request);
    if (rule === false) return undefined;
    if (rule !== undefined) return rule.ttlMs ?? ttlMs;
    return request.method.idempotency === MethodOptions_IdempotencyLevel.NO_SIDE_EFFECTS ? ttlMs : undefined;
  }

  function keyOf(request: UnaryRequest): string {
    const headers = vary.map((name) => request.header.get(name));
    const message = toBinary(request.method.input as DescMessage, request.message as Message);
    // The method first, so that it can be found by its prefix.
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
      return responseOf(request, outcome.answer);
    }
    observer?.onMiss?.(method);
    const begun = era;
    const fetching = (next(request) as Promise<UnaryResponse>).then((response) => {
      const answer = answerOf(response);
      if (begun === era) lru.set(key, answer, bytesOf(answer), lifeMs);
      return { response, answer };
    });
    const flight = fetching.then(({ answer }): Outcome => ({ answer }), sharedFailure);
    flights.set(key, flight);
    try {
      return (await fetching).response;
    } finally {
      if (flights.get(key) === flight) flights.delete(key);
    }
  }

  return {
    interceptor: (next) => async (request) => {
      if (request.stream) return next(request);
      const lifeMs = ttlOf(request);
      return lifeMs === undefined ? next(request) : look(request, lifeMs, next);
    },
    get size() {
      return lru.size;
    },
    get bytes() {
      return lru.bytes;
    },
    invalidate(name) {
      era++;
      // Who comes later must not join a call of before.
      flights.clear();
      lru.deletePrefix(name === undefined ? "" : name.includes("/") ? `${name} ` : `${name}/`);
    },
  };
}

function sharedFailure(reason: unknown): Outcome {
  const error = ConnectError.from(reason);
  return error.code === Code.Canceled || error.code === Code.DeadlineExceeded ? undefined : { error };
}

function answerOf(response: UnaryResponse): Answer {
  return {
    message: toBinary(response.method.output as DescMessage, response.message as Message),
    header: [...response.header],
    trailer: [...response.trailer],
  };
}

function responseOf(request: UnaryRequest, answer: Answer): UnaryResponse {
  return {
    stream: false,
    service: request.service,
    method: request.method,
    header: new Headers(answer.header as [string, string][]),
    trailer: new Headers(answer.trailer as [string, string][]),
    message: fromBinary(request.method.output, answer.message),
  } as UnaryResponse;
}

function bytesOf({ message, header, trailer }: Answer): number {
  return [...header, ...trailer].reduce((sum, [name, value]) => sum + name.length + value.length, message.length);
}

/** One character for each byte: exact, and half the size of hexadecimal. */
function latin1(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("latin1");
}
