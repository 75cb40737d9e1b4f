import type { DescMethod, DescService } from "@bufbuild/protobuf";
import type { ConnectError, Interceptor, StreamRequest, UnaryRequest } from "@connectrpc/connect";
import { type Clock, type Log, systemClock } from "@tercel/grpc";
import { resourceExhausted, unavailable } from "@tercel/grpc/errors";
import { gateMessages, requestWithMessages } from "@tercel/grpc/hooks";
import { checkWholeNumber, refuseUnknownOptions, safeLog, thrownText } from "@tercel/grpc/internal";
import { checkRulePaths, checkServices, pathOfMethod } from "../call/method-names.ts";
import { boundedKey, clientKey } from "./client-key.ts";
import { checkLimit, type Limit, type RateLimitStore, type Verdict } from "./limit.ts";
import { createMemoryStore } from "./memory-store.ts";

export type RateLimitRule = Limit | "unlimited";

export interface RateLimitOptions {
  /** For all methods without a rule, which share one count for each client. Default: they are not limited. */
  limit?: Limit;
  /**
   * Limits of their own, by `package.Service/Method` or `package.Service/*`; each has a count of its own, the latter one for all
   * methods of the service.
   */
  rules?: Readonly<Record<string, RateLimitRule>>;
  /** The services that `rules` name methods of. */
  services?: readonly DescService[];
  /**
   * Whose count a call goes to; undefined for no one's. Default `clientKey`: the subject of the token that `createAuth` verified, or the
   * program that has proved who it is, or the address. `addressKey` goes by the address alone.
   */
  keyOf?: (request: UnaryRequest | StreamRequest) => string | undefined;
  /** The second and each further message that a client sends in a stream count like a call. Default false: a stream counts once. */
  countMessages?: boolean;
  /** Where it is counted. Default: `createMemoryStore()`. */
  store?: RateLimitStore;
  /** What becomes of calls while the store fails: "allow" lets them through, "deny" answers UNAVAILABLE. Default "allow". */
  onStoreFailure?: "allow" | "deny";
  /** A store that takes longer has failed. Default 500 ms. */
  storeTimeoutMs?: number;
  /** Stands as the domain in google.rpc.ErrorInfo. Default "tercel.rate-limit". */
  domain?: string;
  /** Hears when the store begins to fail and when it is back. Default: standard error. */
  log?: Log;
  /** For tests. */
  clock?: Clock;
}

const optionNames: readonly (keyof RateLimitOptions)[] = [
  "limit",
  "rules",
  "services",
  "keyOf",
  "countMessages",
  "store",
  "onStoreFailure",
  "storeTimeoutMs",
  "domain",
  "log",
  "clock",
];

const where = "createRateLimit";
/** Probes must not fail because there are many of them. */
const healthService = "grpc.health.v1.Health";

/** A limit, and the name its count goes by. */
interface CompiledRule {
  readonly limit: Limit;
  readonly name: string;
}

/**
 * A server interceptor that counts the calls of each client and answers those beyond its limit with RESOURCE_EXHAUSTED, saying
 * when to come back: in google.rpc.RetryInfo, common.v1.RateLimitInfo and `grpc-retry-pushback-ms`, which gRPC clients' retries
 * keep to. Put it behind auth, so that it knows who calls; calls that auth refuses are not counted then, unless another one stands before
 * auth. The health service is not limited.
 *
 * @throws TypeError or RangeError for an option, a limit or a rule that is wrong
 */
export function createRateLimit(options: RateLimitOptions): Interceptor {
  refuseUnknownOptions(where, options, optionNames);
  checkWholeNumber(where, "storeTimeoutMs", options.storeTimeoutMs, 1, 0x7fff_ffff);
  const { keyOf = clientKey, countMessages = false, storeTimeoutMs = 500 } = options;
  const { domain = "tercel.rate-limit", clock = systemClock } = options;
  const log = safeLog(options.log);
  const { store = createMemoryStore({ clock }) } = options;
  const denies = checkedPolicy(options.onStoreFailure) === "deny";
  const ruleOf = compileRules(options);
  let storeFails = false;

  function judge(verdict: Verdict, { limit }: CompiledRule): void {
    if (!verdict.isAllowed) throw limitError(limit, verdict.retryAfterMs, domain);
  }

  function judgeLater(taking: Promise<Verdict>, rule: CompiledRule): Promise<void> {
    return withTimeout(taking, storeTimeoutMs, clock).then(
      (verdict) => {
        if (storeFails) log.warn("the store of the rate limits is back");
        storeFails = false;
        judge(verdict, rule);
      },
      (error) => storeFailed(error),
    );
  }

  function storeFailed(error: unknown): void {
    // Once and not with each call.
    if (!storeFails) {
      log.error("the store of the rate limits fails", {
        calls: denies ? "denied" : "allowed",
        error: thrownText(error),
      });
    }
    storeFails = true;
    if (denies) {
      throw unavailable({ message: "calls cannot be counted at the moment", reason: "RATE_LIMIT_UNKNOWN", domain });
    }
  }

  /** Throws or rejects when it is one too many. */
  function count(key: string, rule: CompiledRule): void | Promise<void> {
    let verdict: Verdict | Promise<Verdict>;
    try {
      verdict = store.take(key, rule.limit);
    } catch (error) {
      return storeFailed(error);
    }
    return verdict instanceof Promise ? judgeLater(verdict, rule) : judge(verdict, rule);
  }

  return (next) => (request) => {
    const rule = ruleOf(request.method);
    if (rule === undefined) return next(request);
    try {
      const client = keyOf(request);
      if (client === undefined) return next(request);
      const key = `${rule.name} ${boundedKey(client)}`;
      const handed = countMessages && request.stream ? countingMessages(request, () => count(key, rule)) : request;
      const counting = count(key, rule);
      return counting === undefined ? next(handed) : counting.then(() => next(handed));
    } catch (error) {
      return Promise.reject(error);
    }
  };
}

/** The first message came with the call, which was counted. */
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
    message: `no more than ${limit.requests} requests a ${limit.per}`,
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
    const stop = clock.after(timeoutMs, () => reject(new Error(`no answer within ${timeoutMs} ms`)));
    promise.then(resolve, reject).finally(stop);
  });
}

function compileRules(options: RateLimitOptions): (method: DescMethod) => CompiledRule | undefined {
  const { limit, rules = {} } = options;
  if (limit !== undefined) checkLimit(`${where}: limit`, limit);
  if (limit === undefined && Object.keys(rules).length === 0) {
    throw new TypeError(`${where}: without limit or rules nothing would be limited`);
  }
  checkRulePaths(where, Object.keys(rules), checkServices(where, options.services ?? []));
  for (const [path, rule] of Object.entries(rules)) {
    if (rule !== "unlimited") checkLimit(`${where}: rules["${path}"]`, rule);
  }
  const byPath = new Map(Object.entries(rules));
  const compiled = new WeakMap<DescMethod, { readonly rule: CompiledRule | undefined }>();

  function compile(method: DescMethod): CompiledRule | undefined {
    if (method.parent.typeName === healthService) return undefined;
    const own = pathOfMethod(method);
    const name = byPath.has(own) ? own : `${method.parent.typeName}/*`;
    const rule = byPath.get(name);
    if (rule === "unlimited") return undefined;
    if (rule !== undefined) return { limit: rule, name };
    return limit === undefined ? undefined : { limit, name: "*" };
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

function checkedPolicy(policy: RateLimitOptions["onStoreFailure"] = "allow"): "allow" | "deny" {
  if (policy === "allow" || policy === "deny") return policy;
  throw new TypeError(`${where}: onStoreFailure is ${JSON.stringify(policy)}; it has to be "allow" or "deny"`);
}
