import type { AuthRule } from "@tercel/interceptors/auth";
import { userServiceName } from "../service/service-keys.ts";

/** Who may call what: user-service places orders, and nothing else. */
export const accessRules: Record<string, AuthRule> = {
  "shop.order.v1.OrderService/*": { roles: ["admin"] },
  "shop.order.v1.OrderService/CreateOrder": { roles: ["admin"], callers: [userServiceName] },
};
