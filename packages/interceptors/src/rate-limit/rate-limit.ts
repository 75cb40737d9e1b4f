import type { DescMethod } from "@bufbuild/protobuf";
import type { ConnectError, Interceptor, StreamRequest, UnaryRequest } from "@connectrpc/connect";
import type { Clock } from "@tercel/grpc";
import { resourceExhausted, unavailable } from "@tercel/grpc/errors";
import { type CallRequest, createHookedInterceptor, gateMessages, requestWithMessages } from "@tercel/grpc/hooks";
import { safeLog, thrownText } from "@tercel/grpc/internal";
import { type Claims, claimsKey } from "../call/claims.ts";
import { type ByMethod, createMethodTable } from "../call/method-selector.ts";
import {
  callback,
  clockOption,
  flag,
  logOption,
  maxTimerMs,
  type OptionsOf,
  oneOf,
  own,
  readOptions,
  type SettingsOf,
  servicesOption,
  text,
  wholeNumber,
  withMethods,
} from "../call/options.ts";
import { boundedKey, clientKey } from "./client-key.ts";
import { checkLimit, type Limit, type RateLimitStore, type Verdict } from "./limit.ts";
import { createMemoryStore } from "./memory-store.ts";

export type RateLimitRule = Limit | "unlimited";

export const rateLimitOptions = {
  /**
   * The limit of all methods without an entry in `methods`, which share one count for each client. It is read for each call, so its getters may
   * return changing values. Default: these methods are not limited.
   */
  limit: own<Limit>('a limit such as { requests: 100, per: "minute" }'),
  /** Limits by method, or "unlimited". Each entry has its own count, shared by all methods that it selects. Default: none. */
  methods: own<ByMethod<RateLimitRule>>("an object with limits by method").or({}),
  /** The services against which `methods` is checked. Default: not checked. */
  services: servicesOption(),
  /**
   * Returns the key under which a call is counted; undefined exempts a call. Default `clientKey`: the subject of the token that `createAuth`
   * verified, or the identified workload, or the address. `addressKey` uses only the address.
   */
  keyOf: callback<(request: UnaryRequest | StreamRequest) => string | undefined>().or(clientKey),
  /** Whether each message of a client's stream after the first counts like a call. Default false: a stream counts once. */
  countMessages: flag().or(false),
  /** The store of the counts. Default: `createMemoryStore()`. */
  store: withMethods<RateLimitStore>("a store, for example createMemoryStore()", "take"),
  /** Whether calls pass while the store fails ("allow"), or fail with UNAVAILABLE ("deny"). Default "allow". */
  onStoreFailure: oneOf("allow", "deny").or("allow"),
  /** The timeout of the store. Default 500 ms. */
  storeTimeoutMs: wholeNumber(1, maxTimerMs).or(500),
  /** The domain in google.rpc.ErrorInfo. Default "tercel.rate-limit". */
  domain: text().or("tercel.rate-limit"),
  /** Receives an error when the store starts to fail, and a warning when it works again. Default: standard error. */
  log: logOption(),
  /** For tests. */
  clock: clockOption(),
};

export type RateLimitOptions = OptionsOf<typeof rateLimitOptions>;

const where = "createRateLimit";
/** Not limited, because health checks must not fail when there are many of them. */
const healthService = "grpc.health.v1.Health";

/** A limit, and the name of its count. */
interface CompiledRule {
  readonly limit: Limit;
  readonly name: string;
  /** Keys by claims objects, which `createAuth` caches: creating and hashing the key again takes longer than counting. */
  readonly byClaims: WeakMap<Claims, string>;
}

/**
 * Creates a server interceptor that counts the calls of each client, and rejects those over its limit with RESOURCE_EXHAUSTED. The error has a
 * retry delay in google.rpc.RetryInfo, common.v1.RateLimitInfo and `grpc-retry-pushback-ms`, which the retries of gRPC clients respect. Put it
 * after authentication, so that it knows the caller. To count calls that authentication rejects, add another one before it. The health service
 * is not limited.
 *
 * @throws TypeError or RangeError for an invalid option, limit or rule
 */
export function createRateLimit(options: RateLimitOptions): Interceptor {
  const settings = readOptions(where, rateLimitOptions, options);
  const { keyOf, countMessages, storeTimeoutMs, domain, clock } = settings;
  const { store = createMemoryStore({ clock }) } = settings;
  const log = safeLog(settings.log);
  const denies = settings.onStoreFailure === "deny";
  const ruleOf = compileRules(settings);
  let storeFails = false;

  function judge(verdict: Verdict, { limit }: CompiledRule): void {
    if (!verdict.isAllowed) throw limitError(limit, verdict.retryAfterMs, domain);
  }

  function judgeLater(taking: Promise<Verdict>, rule: CompiledRule): Promise<void> {
    return withTimeout(taking, storeTimeoutMs, clock).then(
      (verdict) => {
        if (storeFails) log.warn("rate limit store works again");
        storeFails = false;
        judge(verdict, rule);
      },
      (error) => storeFailed(error),
    );
  }

  function storeFailed(error: unknown): void {
    // Logs only the first failure, not one for each call.
    if (!storeFails) {
      log.error("rate limit store failed", {
        calls: denies ? "denied" : "allowed",
        error: thrownText(error),
      });
    }
    storeFails = true;
    if (denies) {
      throw unavailable({ message: "calls cannot be counted at the moment", reason: "RATE_LIMIT_UNKNOWN", domain });
    }
  }

  /** Counts one call or message. Throws or rejects if the limit is exceeded. */
  function count(key: string, rule: CompiledRule): void | Promise<void> {
    let verdict: Verdict | Promise<Verdict>;
    try {
      verdict = store.take(key, rule.limit);
    } catch (error) {
      return storeFailed(error);
    }
    return verdict instanceof Promise ? judgeLater(verdict, rule) : judge(verdict, rule);
  }

  /** Counts a call, unless its method or client is exempt. */
  function countCall(request: CallRequest): void | Promise<void> {
    const rule = ruleOf(request.method);
    const key = rule === undefined ? undefined : keyOfCall(request, rule);
    return rule === undefined || key === undefined ? undefined : count(key, rule);
  }

  function keyOfCall(request: CallRequest, rule: CompiledRule): string | undefined {
    const claims = keyOf === clientKey ? request.contextValues.get(claimsKey) : undefined;
    const known = claims === undefined ? undefined : rule.byClaims.get(claims);
    if (known !== undefined) return known;
    const client = keyOf(request);
    if (client === undefined) return undefined;
    const key = `${rule.name} ${boundedKey(client)}`;
    if (claims !== undefined) rule.byClaims.set(claims, key);
    return key;
  }

  if (!countMessages) return createHookedInterceptor<void>({ begin: countCall });
  // A hook cannot count messages, because the store may be asynchronous.
  return (next) => async (request) => {
    const rule = ruleOf(request.method);
    const key = rule === undefined ? undefined : keyOfCall(request, rule);
    if (rule === undefined || key === undefined) return next(request);
    await count(key, rule);
    return next(request.stream ? countingMessages(request, () => count(key, rule)) : request);
  };
}

/** The first message is not counted, because the call itself was. */
function countingMessages(request: StreamRequest, count: () => void | Promise<void>): StreamRequest {
  let isFirst = true;
  const admit = (): void | Promise<void> => {
    if (!isFirst) return count();
    isFirst = false;
  };
  return requestWithMessages(request, gateMessages(request.message, admit));
}

function limitError(limit: Limit, remainingMs: number, domain: string): ConnectError {
  const retryAfterMs = Math.max(1, Math.ceil(remainingMs));
  const error = resourceExhausted({
    message: `rate limit exceeded: ${limit.requests} requests per ${limit.per}`,
    reason: "RATE_LIMITED",
    domain,
    retryAfterMs,
    rateLimit: { requestsPerUnit: limit.requests, unit: limit.per },
  });
  error.metadata.set("grpc-retry-pushback-ms", String(retryAfterMs));
  return error;
}

function withTimeout<T>(promise: Promise<T>, timeoutMs: number, clock: Clock): Promise<T> {
  return new Promise((resolve, reject) => {
    const stop = clock.after(timeoutMs, () => reject(new Error(`no response within ${timeoutMs} ms`)));
    promise.then(resolve, reject).finally(stop);
  });
}

function compileRules(settings: SettingsOf<typeof rateLimitOptions>): (method: DescMethod) => CompiledRule | undefined {
  const { limit, methods, services } = settings;
  if (limit !== undefined) checkLimit(`${where}: limit`, limit);
  if (limit === undefined && Object.keys(methods).length === 0) {
    throw new TypeError(`${where}: expected limit or methods`);
  }
  for (const [selector, rule] of Object.entries(methods)) {
    if (rule !== "unlimited") checkLimit(`${where}: methods["${selector}"]`, rule);
  }
  const table = createMethodTable<RateLimitRule>(
    where,
    "methods",
    { ...(limit !== undefined && { "*": limit }), ...methods },
    services,
  );
  const compiled = new WeakMap<DescMethod, { readonly rule: CompiledRule | undefined }>();

  function compile(method: DescMethod): CompiledRule | undefined {
    if (method.parent.typeName === healthService) return undefined;
    const entry = table.find(method);
    if (entry === undefined || entry.value === "unlimited") return undefined;
    return { limit: entry.value, name: entry.selector, byClaims: new WeakMap() };
  }

  return (method) => {
    let found = compiled.get(method);
    if (found === undefined) {
      found = { rule: compile(method) };
      compiled.set(method, found);
    }
    return found.rule;
  };
}
