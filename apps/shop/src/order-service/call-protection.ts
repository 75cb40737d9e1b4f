import type { Registry } from "@tercel/interceptors/metrics";
import { createServerStack, type ServerStack } from "@tercel/interceptors/stack";
import type { Settings } from "../config/settings.ts";
import { OrderService } from "../gen/shop/order/v1/order_pb.ts";
import type { Log } from "../log/json-log.ts";
import { addressLimit } from "../service/address-limit.ts";
import { callDeadlines } from "../service/call-deadlines.ts";
import { createCommonDetails } from "../service/common-details.ts";
import { observedCalls } from "../service/observed-calls.ts";
import { keysOfCallers } from "../service/service-keys.ts";
import { openServiceSecret } from "../service/service-secret.ts";
import { trustedTokens } from "../service/trusted-tokens.ts";
import type { StorageWatch } from "../storage/storage-watch.ts";
import { accessRules } from "./access-rules.ts";

/** What is around the handlers of order-service. */
export function createCallProtection(
  settings: Settings,
  registry: Registry,
  log: Log,
  storage: StorageWatch,
): Promise<ServerStack> {
  const openSecret = () => openServiceSecret(settings.secretFile);
  return createServerStack({
    ...observedCalls(log, registry),
    services: [OrderService],
    after: { recovery: [createCommonDetails(), storage.interceptor] },
    deadline: callDeadlines(),
    // It only finds out who calls; auth applies the rules, as a method may be for programs and for admins.
    serviceKey: {
      identifyOnly: true,
      keys: keysOfCallers(settings, openSecret),
      allowCleartext: settings.cleartextKeys === "yes",
    },
    addressLimit: addressLimit(settings),
    auth: { methods: accessRules, ...trustedTokens(settings, settings.orderTokenAudience, openSecret) },
  });
}
