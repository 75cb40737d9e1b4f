import type { DescService } from "@bufbuild/protobuf";
import type { Interceptor } from "@connectrpc/connect";
import { reflectionServices } from "@tercel/grpc/services";
import { claimsKey, createAuth } from "@tercel/interceptors/auth";
import { createIdempotency, type IdempotencyStore } from "@tercel/interceptors/idempotency";
import { createLoadShedding } from "@tercel/interceptors/load-shedding";
import type { Registry } from "@tercel/interceptors/metrics";
import { createRateLimit, type RateLimitStore } from "@tercel/interceptors/rate-limit";
import { createValidation } from "@tercel/interceptors/validation";
import type { Settings } from "../config/settings.ts";
import { toFrameworkLog } from "../log/framework-log.ts";
import type { Log } from "../log/json-log.ts";
import { addressLimit } from "../service/address-limit.ts";
import { createCallDeadlines } from "../service/call-deadlines.ts";
import { createCommonDetails } from "../service/common-details.ts";
import { observedCalls } from "../service/observed-calls.ts";
import type { ServiceSecret } from "../service/service-secret.ts";
import { trustedTokens } from "../service/trusted-tokens.ts";
import type { StorageWatch } from "../storage/storage-watch.ts";
import { accessRules } from "./access-rules.ts";

export interface CallProtectionParts {
  readonly services: readonly DescService[];
  readonly settings: Settings;
  readonly secret: ServiceSecret;
  readonly registry: Registry;
  readonly idempotencyStore: IdempotencyStore;
  /** Where the calls of clients and of addresses are counted, each apart or a stranger would count twice; in memory without any. */
  readonly rateLimitStores: { readonly client: RateLimitStore; readonly address: RateLimitStore } | undefined;
  readonly storage: StorageWatch;
  readonly log: Log;
}

export interface CallProtection {
  /** From the outermost to the one next to the handler. */
  readonly interceptors: readonly Interceptor[];
  close(): void;
}

const deadlines = {
  openEnded: ["user.v1.UserService/StreamUserUpdates", "user.UserService/StreamUsers"],
  // A third of a second of work, and as long a queue for it as PasswordHash allows.
  defaultMs: { "user.v1.UserService/CreateUser": 15_000 },
};

/** What stands around the handlers of user-service. The order is what makes it work, so the reasons stand next to it. */
export function createCallProtection(parts: CallProtectionParts): CallProtection {
  const { services, settings, registry, log } = parts;
  const frameworkLog = toFrameworkLog(log, "interceptor");
  const shedding = createLoadShedding({
    maxLoopDelayMs: settings.maxLoopDelayMs,
    // Hashing passwords is what takes long here: a rush of new users leaves room for the others.
    priorities: { "user.v1.UserService/CreateUser": "low" },
  });
  const interceptors: Interceptor[] = [
    ...observedCalls(log, registry),
    createCommonDetails(),
    // Around whatever stores, the idempotency keys included.
    parts.storage.interceptor,
    // Before whatever waits: waiting is a part of the call's time.
    createCallDeadlines(deadlines),
    // Before whatever costs.
    shedding.interceptor,
    // Before auth: a flood of calls without a good token must not have each token verified.
    ...addressLimit(settings, log, parts.rateLimitStores?.address),
    createAuth({
      services,
      rules: accessRules(settings),
      log: frameworkLog,
      ...trustedTokens(settings, settings.tokenAudience, () => parts.secret),
    }),
    // These two know who calls.
    ...clientLimit(parts),
    createValidation({ services, log: frameworkLog }),
    // Last: what is refused must not take a key.
    createIdempotency({
      store: parts.idempotencyStore,
      // CreateUser carries a password.
      secret: parts.secret.key("idempotency fingerprints"),
      // Not the token, which may be renewed between a call and its repetition.
      callerOf: (request) => request.contextValues.get(claimsKey)?.sub,
      log: frameworkLog,
    }),
  ];
  return { interceptors, close: () => shedding.close() };
}

/** Counts the calls of each client, unless any number is fine. Tools ask by reflection before each call; that is not counted. */
function clientLimit({ settings, rateLimitStores, log }: CallProtectionParts): Interceptor[] {
  if (settings.rateLimit === 0) return [];
  const limit = { requests: settings.rateLimit, per: "minute" } as const;
  const store = rateLimitStores && { store: rateLimitStores.client };
  const rules = Object.fromEntries(reflectionServices.map(({ typeName }) => [`${typeName}/*`, "unlimited" as const]));
  const logged = { log: toFrameworkLog(log, "interceptor") };
  return [createRateLimit({ limit, services: reflectionServices, rules, ...store, ...logged })];
}
