import type { DatabaseSync } from "node:sqlite";
import type { Transport } from "@connectrpc/connect";
import { askHealth, type HealthCheck } from "@tercel/grpc/services";
import { OrderService } from "../gen/shop/order/v1/order_pb.ts";
import { checkIntervalMs, checkTimeoutMs, databaseCheck } from "../storage/database-check.ts";
import type { StorageWatch } from "../storage/storage-watch.ts";

/** What user-service needs to be ready. It takes calls without order-service as well, but others may then go elsewhere. */
export function readinessChecks(
  database: DatabaseSync,
  storage: StorageWatch,
  orders: Transport,
  orderDependency: "required" | "optional",
): HealthCheck[] {
  return [
    databaseCheck(database, "users", storage),
    {
      name: "order-service",
      check: askHealth(orders, OrderService.typeName),
      required: orderDependency === "required",
      intervalMs: checkIntervalMs,
      timeoutMs: checkTimeoutMs,
    },
  ];
}
