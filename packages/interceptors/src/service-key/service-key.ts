import { readFile } from "node:fs/promises";
import { Code, ConnectError, type Interceptor } from "@connectrpc/connect";
import { unauthenticated, unavailable } from "@tercel/grpc/errors";
import { safeLog, thrownText } from "@tercel/grpc/internal";
import {
  clockOption,
  flag,
  headerOption,
  logOption,
  type OptionsOf,
  own,
  readOptions,
  type SettingsOf,
  wholeNumber,
} from "../call/options.ts";
import { Refreshed } from "../call/refreshed.ts";
import { defaultHeader } from "./header-name.ts";
import { keyFileOptions } from "./key-file.ts";
import { checkKey } from "./key-ring.ts";
import { goesInPrivate } from "./private-way.ts";

/** The source of the key: a string; a function, which is called again regularly; or a file with only the key, which is reloaded regularly. */
export type ServiceKeySource = string | (() => Promise<string> | string) | { readonly file: string };

export const serviceKeyOptions = {
  /** The key, a function that returns it, or `{ file }`. Required. */
  key: own<ServiceKeySource>(
    "a text, a function, or { file }",
    (value) =>
      typeof value === "string" || typeof value === "function" || (typeof value === "object" && value !== null),
  ).required(),
  /** The name of the metadata with the key. Default `x-service-key`. */
  header: headerOption().or(defaultHeader),
  /** Whether to send the key without TLS to addresses other than loopback, where others can read it. Default false. */
  allowCleartext: flag().or(false),
  /** Reloads the key of a function or a file after this time, in the background. Default 10,000 ms. */
  maxAgeMs: wholeNumber(1).or(10_000),
  /** The minimum time between two reloads. A rejected key is reloaded at once, unless it is rejected sooner. Default 1000 ms. */
  cooldownMs: wholeNumber(1).or(1000),
  /** Receives a warning when the key cannot be loaded. Default: standard error. */
  log: logOption(),
  /** For tests. */
  clock: clockOption(),
};

export type ServiceKeyOptions = OptionsOf<typeof serviceKeyOptions>;

const where = "createServiceKey";

/**
 * Creates a client interceptor that adds this workload's key to each call. A unary call that fails with UNAUTHENTICATED reloads the key, and
 * is sent once more if the key has changed. Streams are not, because the server may have received their messages.
 *
 * Calls without TLS to an address other than loopback fail with UNAUTHENTICATED. If no key can be loaded, calls fail with UNAVAILABLE.
 *
 * @throws TypeError or RangeError for an invalid key or option
 */
export function createServiceKey(options: ServiceKeyOptions): Interceptor {
  const settings = readOptions(where, serviceKeyOptions, options);
  const { header, allowCleartext } = settings;
  const keys = keysOf(settings);

  return (next) => async (request) => {
    if (!allowCleartext && !goesInPrivate(request)) {
      throw unauthenticated(
        "a service key must not be sent to another machine without TLS; set allowCleartext to permit it",
      );
    }
    const key = await loaded(keys.current());
    request.header.set(header, key);
    if (request.stream) return next(request);
    try {
      return await next(request);
    } catch (error) {
      if (!(error instanceof ConnectError) || error.code !== Code.Unauthenticated) throw error;
      const fresh = await loaded(keys.renewed());
      if (fresh === key) throw error;
      request.header.set(header, fresh);
      return next(request);
    }
  };
}

async function loaded(key: string | Promise<string>): Promise<string> {
  try {
    return await key;
  } catch (cause) {
    throw unavailable({ message: "no service key could be loaded for the call", cause });
  }
}

function keysOf(given: SettingsOf<typeof serviceKeyOptions>): Refreshed<string> {
  const { key: source, maxAgeMs, cooldownMs, clock } = given;
  const log = safeLog(given.log);
  const settings = {
    clock,
    isStale: (_key: string, ageMs: number) => ageMs >= maxAgeMs,
    cooldownMs,
    onFailure(error: unknown) {
      log.warn("cannot load the service key", { error: thrownText(error) });
    },
  };
  if (typeof source === "string") {
    checkKey(`${where}: the key`, source);
    return new Refreshed(async () => source, { clock, isStale: () => false }, source);
  }
  const read = readerOf(source);
  return new Refreshed(async () => checked(await read()), settings);
}

function readerOf(source: Exclude<ServiceKeySource, string>): () => Promise<string> | string {
  if (typeof source === "function") return source;
  const { file } = readOptions(`${where}: key`, keyFileOptions, source);
  // Editors and `echo` add a line break at the end.
  return async () => (await readFile(file, "utf8")).trim();
}

function checked(key: string): string {
  checkKey(`${where}: the key`, key);
  return key;
}
