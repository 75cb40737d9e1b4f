import type { DatabaseSync } from "node:sqlite";
import type { Transport } from "@connectrpc/connect";
import { askHealth, type HealthCheck } from "@tercel/grpc/services";
import { OrderService } from "../gen/shop/order/v1/order_pb.ts";

/** A dependency that comes back is seen within this; a check costs one small call. */
const intervalMs = 2_000;
const timeoutMs = 2_000;

/** What user-service needs to be ready. It takes calls without order-service as well, but others may then go elsewhere. */
export function readinessChecks(
  database: DatabaseSync,
  orders: Transport,
  orderDependency: "required" | "optional",
): HealthCheck[] {
  // Reads from the file and not only from the open handle.
  const probe = database.prepare("SELECT count(*) FROM (SELECT 1 FROM users LIMIT 1)");
  return [
    { name: "database", check: () => probe.get(), intervalMs, timeoutMs },
    {
      name: "order-service",
      check: askHealth(orders, OrderService.typeName),
      required: orderDependency === "required",
      intervalMs,
      timeoutMs,
    },
  ];
}
