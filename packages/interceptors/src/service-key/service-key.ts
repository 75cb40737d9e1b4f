import { readFile } from "node:fs/promises";
import { Code, ConnectError, type Interceptor } from "@connectrpc/connect";
import { type Clock, type Log, systemClock } from "@tercel/grpc";
import { unauthenticated, unavailable } from "@tercel/grpc/errors";
import { checkWholeNumber, refuseUnknownOptions, safeLog, thrownText } from "@tercel/grpc/internal";
import { checkHeaderName, defaultHeader } from "./header-name.ts";
import { checkKey } from "./key-ring.ts";
import { goesInPrivate } from "./private-way.ts";
import { Reloaded } from "./reloaded.ts";

/** The key itself; a function that is asked for it, and asked again; or a file that holds nothing else, which is read again. */
export type ServiceKeySource = string | (() => Promise<string> | string) | { readonly file: string };

export interface ServiceKeyOptions {
  /** Metadata that carries the key. Default `x-service-key`. */
  header?: string;
  /** Sends the key without TLS to other machines, where whoever is on the way can read it. Default false. */
  allowCleartext?: boolean;
  /** A function or a file is asked again after this, without a call that waits for it. Default 10 s. */
  maxAgeMs?: number;
  /** A refused key has it asked again at once, but not sooner than this after the last time. Default 1 s. */
  cooldownMs?: number;
  /** Hears as a warning that the key cannot be had again. Default: standard error. */
  log?: Log;
  /** For tests. */
  clock?: Clock;
}

const where = "serviceKey";

/**
 * A client interceptor that adds this program's key to each call. A unary call that is refused with UNAUTHENTICATED is sent once more
 * when there is a new key by then. Streams are not, since the server may have had their messages.
 *
 * Over cleartext to another machine calls fail with UNAUTHENTICATED, and when no key can be had with UNAVAILABLE.
 *
 * @throws TypeError or RangeError for a key or an option that is wrong
 */
export function serviceKey(source: ServiceKeySource, options: ServiceKeyOptions = {}): Interceptor {
  refuseUnknownOptions(where, options, ["header", "allowCleartext", "maxAgeMs", "cooldownMs", "log", "clock"]);
  const { header = defaultHeader, allowCleartext = false } = options;
  checkHeaderName(where, header);
  const keys = keysOf(source, options);

  return (next) => async (request) => {
    if (!allowCleartext && !goesInPrivate(request)) {
      throw unauthenticated("a service key must not leave this machine without TLS; allowCleartext permits it");
    }
    const key = await had(keys.current());
    request.header.set(header, key);
    if (request.stream) return next(request);
    try {
      return await next(request);
    } catch (error) {
      if (!(error instanceof ConnectError) || error.code !== Code.Unauthenticated) throw error;
      const fresh = await had(keys.renewed());
      if (fresh === key) throw error;
      request.header.set(header, fresh);
      return next(request);
    }
  };
}

async function had(key: string | Promise<string>): Promise<string> {
  try {
    return await key;
  } catch (cause) {
    throw unavailable({ message: "no service key could be had for the call", cause });
  }
}

function keysOf(source: ServiceKeySource, options: ServiceKeyOptions): Reloaded<string> {
  const { maxAgeMs = 10_000, cooldownMs = 1000, clock = systemClock } = options;
  const log = safeLog(options.log);
  checkWholeNumber(where, "maxAgeMs", options.maxAgeMs, 1, Number.MAX_SAFE_INTEGER);
  checkWholeNumber(where, "cooldownMs", options.cooldownMs, 1, Number.MAX_SAFE_INTEGER);
  const settings = {
    maxAgeMs,
    cooldownMs,
    clock,
    onFailure(error: unknown) {
      log.warn("the service key could not be had again", { error: thrownText(error) });
    },
  };
  if (typeof source === "string") {
    checkKey(`${where}: the key`, source);
    return new Reloaded(async () => source, settings, source);
  }
  const read = readerOf(source);
  return new Reloaded(async () => checked(await read()), settings);
}

function readerOf(source: Exclude<ServiceKeySource, string>): () => Promise<string> | string {
  if (typeof source === "function") return source;
  const file = source?.file;
  if (typeof file !== "string" || file === "") {
    throw new TypeError(`${where}: the key has to be a text, a function, or { file }`);
  }
  refuseUnknownOptions(where, source, ["file"]);
  // Editors and `echo` end a file with a line break.
  return async () => (await readFile(file, "utf8")).trim();
}

function checked(key: string): string {
  checkKey(`${where}: the key`, key);
  return key;
}
