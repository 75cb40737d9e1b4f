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
 * The keys themselves; a function that returns them, and is called again; or a file with a name and a key in each line, which is read
 * again. When the function fails, or one of its keys or the file's is wrong, the keys before remain valid.
 */
export type ServiceKeys =
  | readonly ServiceKeyEntry[]
  | (() => Promise<readonly ServiceKeyEntry[]> | readonly ServiceKeyEntry[])
  | { readonly file: string };

export const serviceKeyGuardOptions = {
  ...callerRuleOptions,
  /** Which keys are valid. Several at once, of one name or of many. Required. */
  keys: own<ServiceKeys>(
    "a list, a function, or { file }",
    (value) => typeof value === "function" || (typeof value === "object" && value !== null),
  ).required(),
  /** Metadata that carries the key. Default `x-service-key`. */
  header: headerOption().or(defaultHeader),
  /**
   * Accepts keys that came without TLS from another machine, where anyone on the way could read them. For a proxy that ends TLS
   * before the server. Default false; programs of the same machine need no TLS in any case.
   */
  allowCleartext: flag().or(false),
  /** Keys of a function or a file are loaded again after this, without a call that waits for it. Default 10,000 ms. */
  maxAgeMs: wholeNumber(1).or(10_000),
  /** An unknown key has them loaded again at once, but not sooner than this after the last time. Default 1000 ms. */
  cooldownMs: wholeNumber(1).or(1000),
  /** The domain in google.rpc.ErrorInfo. Default "tercel.servicekey". */
  domain: text().or("tercel.servicekey"),
  /** Gets, at level "debug", why keys are refused, and as warnings what must be looked into. Default: standard error. */
  log: logOption(),
  /** For tests. */
  clock: clockOption(),
};

export type ServiceKeyGuardOptions = OptionsOf<typeof serviceKeyGuardOptions>;

const where = "createServiceKeyGuard";

/**
 * A server interceptor that identifies workloads by a key they share with it, and lets in those that the method's rule names. Handlers find
 * the key's name under `callerKey`. Without a valid key a call fails with UNAUTHENTICATED, with one that is not enough with
 * PERMISSION_DENIED, and while no keys can be loaded with UNAVAILABLE.
 *
 * Keys are compared by their SHA-256 in constant time, with every valid key.
 *
 * @throws TypeError or RangeError for an option, a key or a rule that is wrong, and for methods without a rule
 * @throws what reading the file throws, when it cannot be read at the start
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
    log.debug("a service key was refused", { method: methodPath(request), reason: "KEY_INVALID" });
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
      log.warn("the service keys could not be loaded", { error: thrownText(error) });
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
