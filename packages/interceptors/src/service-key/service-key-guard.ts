import { readFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import type { Interceptor, StreamRequest, UnaryRequest } from "@connectrpc/connect";
import type { Log } from "@tercel/grpc";
import { unauthenticated, unavailable } from "@tercel/grpc/errors";
import { readHeader } from "@tercel/grpc/hooks";
import { safeLog, thrownText } from "@tercel/grpc/internal";
import type { Caller } from "../call/caller.ts";
import { callerRuleOptions, guardCallers } from "../call/guard-callers.ts";
import { methodPath } from "../call/method-path.ts";
import {
  clockOption,
  flag,
  headerOption,
  logOption,
  type OptionsOf,
  own,
  readOptions,
  type SettingsOf,
  text,
  wholeNumber,
} from "../call/options.ts";
import { Refreshed } from "../call/refreshed.ts";
import { defaultHeader } from "./header-name.ts";
import { keyFileOptions, parseKeyFile } from "./key-file.ts";
import { KeyRing, type ServiceKeyEntry } from "./key-ring.ts";
import { cameInPrivate } from "./private-way.ts";

/**
 * The source of the valid keys: a list; a function, which is called again regularly; or a file with a name and a key in each line, which is
 * reloaded regularly. If the function fails, or a key is invalid, the previous keys stay in use.
 */
export type ServiceKeys =
  | readonly ServiceKeyEntry[]
  | (() => Promise<readonly ServiceKeyEntry[]> | readonly ServiceKeyEntry[])
  | { readonly file: string };

export const serviceKeyGuardOptions = {
  ...callerRuleOptions,
  /** The valid keys. A name may have several keys. Required. */
  keys: own<ServiceKeys>(
    "a list, a function, or { file }",
    (value) => typeof value === "function" || (typeof value === "object" && value !== null),
  ).required(),
  /** The name of the metadata with the key. Default `x-service-key`. */
  header: headerOption().or(defaultHeader),
  /**
   * Whether to accept keys that arrive from the network without TLS, where others could read them. Set it behind a proxy that terminates TLS.
   * Default false. Connections over loopback or a Unix socket never need TLS.
   */
  allowCleartext: flag().or(false),
  /** Reloads the keys of a function or a file after this time, in the background. Default 10,000 ms. */
  maxAgeMs: wholeNumber(1).or(10_000),
  /** The minimum time between two reloads. An unknown key reloads the keys at once, unless it comes sooner. Default 1000 ms. */
  cooldownMs: wholeNumber(1).or(1000),
  /** The domain in google.rpc.ErrorInfo. Default "tercel.servicekey". */
  domain: text().or("tercel.servicekey"),
  /** Receives the reasons for rejected keys at level "debug", and warnings about problems of the server. Default: standard error. */
  log: logOption(),
  /** For tests. */
  clock: clockOption(),
};

export type ServiceKeyGuardOptions = OptionsOf<typeof serviceKeyGuardOptions>;

const where = "createServiceKeyGuard";

/**
 * Creates a server interceptor that identifies workloads by a shared key, and admits those that the method's rule lists. Handlers get the
 * caller with `callerKey`. A call without a valid key fails with UNAUTHENTICATED, a call of a caller that the rule does not list with
 * PERMISSION_DENIED, and while no keys can be loaded, calls fail with UNAVAILABLE.
 *
 * A key is compared with every valid key, by their SHA-256 digests, in constant time.
 *
 * @throws TypeError or RangeError for an invalid option, key or rule, and for methods without a rule
 * @throws the error of reading the file, if it cannot be read at the start
 */
export function createServiceKeyGuard(options: ServiceKeyGuardOptions): Interceptor {
  const settings = readOptions(where, serviceKeyGuardOptions, options);
  const { header, allowCleartext, domain } = settings;
  const log = safeLog(settings.log);
  const rings = ringsOf(settings, log);

  function callerOf(request: UnaryRequest | StreamRequest, name: string): Caller {
    if (allowCleartext || cameInPrivate(request)) return { kind: "service-key", name, names: [name] };
    log.warn("a service key came over the network without TLS; replace it, and use TLS", { name });
    throw unauthenticated({ message: "a service key must not be sent without TLS", reason: "KEY_EXPOSED", domain });
  }

  async function identifyLater(request: UnaryRequest | StreamRequest, key: string): Promise<Caller> {
    let name: string | undefined;
    try {
      name = (await rings.current()).find(key) ?? (await rings.renewed()).find(key);
    } catch (cause) {
      throw unavailable({
        message: "service keys cannot be checked at the moment",
        reason: "KEYS_UNAVAILABLE",
        domain,
        cause,
      });
    }
    if (name !== undefined) return callerOf(request, name);
    log.debug("service key rejected", { method: methodPath(request), reason: "KEY_INVALID" });
    throw unauthenticated({ message: "the service key is not valid", reason: "KEY_INVALID", domain });
  }

  return guardCallers(where, settings, {
    domain,
    missing: () => unauthenticated({ message: "missing service key", reason: "KEY_MISSING", domain }),
    identify(request) {
      const key = readHeader(request, header);
      if (key === null || key === "") return undefined;
      const ring = rings.current();
      const name = ring instanceof KeyRing ? ring.find(key) : undefined;
      return name === undefined ? identifyLater(request, key) : callerOf(request, name);
    },
  });
}

function ringsOf(
  { keys, clock, maxAgeMs, cooldownMs }: SettingsOf<typeof serviceKeyGuardOptions>,
  log: Log,
): Refreshed<KeyRing> {
  const settings = {
    clock,
    isStale: (_ring: KeyRing, ageMs: number) => ageMs >= maxAgeMs,
    cooldownMs,
    onFailure(error: unknown) {
      log.warn("cannot load the service keys", { error: thrownText(error) });
    },
  };
  if (typeof keys === "function") {
    return new Refreshed(async () => new KeyRing(`${where}: keys`, await keys()), settings);
  }
  if (Array.isArray(keys)) {
    const ring = new KeyRing(`${where}: keys`, keys);
    return new Refreshed(async () => ring, { clock, isStale: () => false }, ring);
  }
  const { file } = readOptions(`${where}: keys`, keyFileOptions, keys as { readonly file: string });
  const parse = (text: string) => new KeyRing(`${where}: ${file}`, parseKeyFile(`${where}: ${file}`, text));
  return new Refreshed(async () => parse(await readFile(file, "utf8")), settings, parse(readFileSync(file, "utf8")));
}
