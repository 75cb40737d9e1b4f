import type { DescService } from "@bufbuild/protobuf";
import { reflectionServices } from "@tercel/grpc/services";
import { claimsKey } from "@tercel/interceptors/auth";
import type { IdempotencyStore } from "@tercel/interceptors/idempotency";
import type { Registry } from "@tercel/interceptors/metrics";
import type { RateLimitOptions, RateLimitStore } from "@tercel/interceptors/rate-limit";
import { createServerStack, type ServerStack } from "@tercel/interceptors/stack";
import type { Settings } from "../config/settings.ts";
import type { Log } from "../log/json-log.ts";
import { addressLimit } from "../service/address-limit.ts";
import { callDeadlines } from "../service/call-deadlines.ts";
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

const deadlines = {
  openEnded: ["user.v1.UserService/StreamUserUpdates", "user.UserService/StreamUsers"],
  // A third of a second of work, and as long a queue for it as PasswordHash allows.
  defaultMs: { "user.v1.UserService/CreateUser": 15_000 },
};

/** What is around the handlers of user-service. */
export function createCallProtection(parts: CallProtectionParts): Promise<ServerStack> {
  const { services, settings, registry, log } = parts;
  return createServerStack({
    ...observedCalls(log, registry),
    services,
    // Around whatever stores, the idempotency keys included.
    after: { recovery: [createCommonDetails(), parts.storage.interceptor] },
    deadline: callDeadlines(deadlines),
    loadShedding: {
      maxLoopDelayMs: settings.maxLoopDelayMs,
      // Hashing passwords is what takes long here: a rush of new users leaves room for the others.
      methods: { "user.v1.UserService/CreateUser": "low" },
    },
    addressLimit: addressLimit(settings, parts.rateLimitStores?.address),
    auth: { methods: accessRules(settings), ...trustedTokens(settings, settings.tokenAudience, () => parts.secret) },
    rateLimit: clientLimit(parts),
    validation: true,
    idempotency: {
      store: parts.idempotencyStore,
      // CreateUser carries a password.
      secret: parts.secret.key("idempotency fingerprints"),
      // Not the token, which may be renewed between a call and its repetition.
      callerOf: (request) => request.contextValues.get(claimsKey)?.sub,
    },
  });
}

/** Counts the calls of each client, unless any number is fine. Tools ask by reflection before each call; that is not counted. */
function clientLimit({ settings, rateLimitStores }: CallProtectionParts): RateLimitOptions | false {
  if (settings.rateLimit === 0) return false;
  const limit = { requests: settings.rateLimit, per: "minute" } as const;
  const store = rateLimitStores && { store: rateLimitStores.client };
  const methods = Object.fromEntries(reflectionServices.map(({ typeName }) => [`${typeName}/*`, "unlimited" as const]));
  return { limit, services: reflectionServices, methods, ...store };
}
