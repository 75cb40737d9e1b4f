import type { Interceptor } from "@connectrpc/connect";
import { createAuth } from "@tercel/interceptors/auth";
import type { Registry } from "@tercel/interceptors/metrics";
import { createServiceKeyGuard } from "@tercel/interceptors/service-key";
import type { Settings } from "../config/settings.ts";
import { OrderService } from "../gen/shop/order/v1/order_pb.ts";
import { toFrameworkLog } from "../log/framework-log.ts";
import type { Log } from "../log/json-log.ts";
import { addressLimit } from "../service/address-limit.ts";
import { createCallDeadlines } from "../service/call-deadlines.ts";
import { createCommonDetails } from "../service/common-details.ts";
import { observedCalls } from "../service/observed-calls.ts";
import { keysOfCallers } from "../service/service-keys.ts";
import { openServiceSecret } from "../service/service-secret.ts";
import { trustedTokens } from "../service/trusted-tokens.ts";
import type { StorageWatch } from "../storage/storage-watch.ts";
import { accessRules } from "./access-rules.ts";

/** What stands around the handlers of order-service, from the outermost to the one next to them. */
export function createCallProtection(
  settings: Settings,
  registry: Registry,
  log: Log,
  storage: StorageWatch,
): Interceptor[] {
  const frameworkLog = toFrameworkLog(log, "interceptor");
  const openSecret = () => openServiceSecret(settings.secretFile);
  return [
    ...observedCalls(log, registry),
    createCommonDetails(),
    storage.interceptor,
    createCallDeadlines(),
    // It only finds out who calls; auth applies the rules, as a method may be for programs and for admins.
    createServiceKeyGuard({
      identifyOnly: true,
      keys: keysOfCallers(settings, openSecret),
      allowCleartext: settings.cleartextKeys === "yes",
      log: frameworkLog,
    }),
    // A key costs a microsecond to compare, so this stands behind it and counts strangers only; a token costs more.
    ...addressLimit(settings, log),
    createAuth({
      services: [OrderService],
      rules: accessRules,
      log: frameworkLog,
      ...trustedTokens(settings, settings.orderTokenAudience, openSecret),
    }),
  ];
}
