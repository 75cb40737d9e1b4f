import { readFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import type { Interceptor, StreamRequest, UnaryRequest } from "@connectrpc/connect";
import { type Clock, type Log, systemClock } from "@tercel/grpc";
import { unauthenticated, unavailable } from "@tercel/grpc/errors";
import { readHeader } from "@tercel/grpc/hooks";
import { checkWholeNumber, refuseUnknownOptions, safeLog, thrownText } from "@tercel/grpc/internal";
import type { Caller } from "../call/caller.ts";
import { type CallerRuleOptions, callerRuleOptionNames, guardCallers } from "../call/guard-callers.ts";
import { methodPath } from "../call/method-path.ts";
import { checkHeaderName, defaultHeader } from "./header-name.ts";
import { parseKeyFile } from "./key-file.ts";
import { KeyRing, type ServiceKeyEntry } from "./key-ring.ts";
import { cameInPrivate } from "./private-way.ts";
import { Reloaded } from "./reloaded.ts";

/**
 * The keys themselves; a function that is asked for them, and asked again; or a file with a name and a key in each line, which is
 * read again. Of a function or a file what is wrong counts as a failure, and the keys before go on to count.
 */
export type ServiceKeys =
  | readonly ServiceKeyEntry[]
  | (() => Promise<readonly ServiceKeyEntry[]> | readonly ServiceKeyEntry[])
  | { readonly file: string };

export interface ServiceKeyGuardOptions extends CallerRuleOptions {
  /** Which keys count. Several at once, of one name or of many. */
  keys: ServiceKeys;
  /** Metadata that carries the key. Default `x-service-key`. */
  header?: string;
  /**
   * Accepts keys that came without TLS from another machine, where whoever was on the way could read them. For a proxy that ends TLS
   * before the server. Default false; this machine's own programs need no TLS in any case.
   */
  allowCleartext?: boolean;
  /** Keys of a function or a file are asked for again after this, without a call that waits for it. Default 10 s. */
  maxAgeMs?: number;
  /** An unknown key has them asked for again at once, but not sooner than this after the last time. Default 1 s. */
  cooldownMs?: number;
  /** Stands as the domain in google.rpc.ErrorInfo. Default "tercel.servicekey". */
  domain?: string;
  /** Hears at level "debug" why keys are refused, and as warnings what has to be looked into. Default: standard error. */
  log?: Log;
  /** For tests. */
  clock?: Clock;
}

const where = "createServiceKeyGuard";

/**
 * A server interceptor that knows programs by a key they share with it, and lets in those that the method's rule names. Handlers find
 * the key's name under `callerKey`. Without a key that counts a call fails with UNAUTHENTICATED, with one that is not enough with
 * PERMISSION_DENIED, and while no keys can be had with UNAVAILABLE.
 *
 * Keys are compared by their SHA-256 in constant time, with every key that counts.
 *
 * @throws TypeError or RangeError for an option, a key or a rule that is wrong, and for methods without a rule
 * @throws what reading the file throws, when it cannot be read at the start
 */
export function createServiceKeyGuard(options: ServiceKeyGuardOptions): Interceptor {
  refuseUnknownOptions(where, options, [
    ...callerRuleOptionNames,
    "keys",
    "header",
    "allowCleartext",
    "maxAgeMs",
    "cooldownMs",
    "domain",
    "log",
    "clock",
  ]);
  const { header = defaultHeader, allowCleartext = false, domain = "tercel.servicekey" } = options;
  const log = safeLog(options.log);
  checkHeaderName(where, header);
  const rings = ringsOf(options, log);

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

  return guardCallers(where, options, {
    domain,
    missing: () => unauthenticated({ message: "the call carries no service key", reason: "KEY_MISSING", domain }),
    identify(request) {
      const key = readHeader(request, header);
      if (key === null || key === "") return undefined;
      const ring = rings.current();
      const name = ring instanceof KeyRing ? ring.find(key) : undefined;
      return name === undefined ? identifyLater(request, key) : callerOf(request, name);
    },
  });
}

function ringsOf(options: ServiceKeyGuardOptions, log: Log): Reloaded<KeyRing> {
  const { keys, clock = systemClock, maxAgeMs = 10_000, cooldownMs = 1000 } = options;
  checkWholeNumber(where, "maxAgeMs", options.maxAgeMs, 1, Number.MAX_SAFE_INTEGER);
  checkWholeNumber(where, "cooldownMs", options.cooldownMs, 1, Number.MAX_SAFE_INTEGER);
  const settings = {
    maxAgeMs,
    cooldownMs,
    clock,
    onFailure(error: unknown) {
      log.warn("the service keys could not be had again", { error: thrownText(error) });
    },
  };
  if (typeof keys === "function") {
    return new Reloaded(async () => new KeyRing(`${where}: keys`, await keys()), settings);
  }
  if (Array.isArray(keys)) {
    const ring = new KeyRing(`${where}: keys`, keys);
    return new Reloaded(async () => ring, settings, ring);
  }
  const file = keys !== undefined && "file" in keys ? keys.file : undefined;
  if (typeof file !== "string" || file === "") {
    throw new TypeError(`${where}: keys has to be a list, a function, or { file }`);
  }
  refuseUnknownOptions(`${where}: keys`, keys, ["file"]);
  const parse = (text: string) => new KeyRing(`${where}: ${file}`, parseKeyFile(`${where}: ${file}`, text));
  return new Reloaded(async () => parse(await readFile(file, "utf8")), settings, parse(readFileSync(file, "utf8")));
}
