import { join } from "node:path";
import { createHealth } from "@tercel/grpc/services";
import type { Settings } from "../config/settings.ts";
import { OrderService } from "../gen/shop/order/v1/order_pb.ts";
import { toFrameworkLog } from "../log/framework-log.ts";
import type { Log } from "../log/json-log.ts";
import { listenWithServices } from "../service/listen-with-services.ts";
import { observedCalls } from "../service/observed-calls.ts";
import type { RunningService } from "../service/run-service.ts";
import { openShopRegistry } from "../service/shop-registry.ts";
import { startTracing } from "../service/start-tracing.ts";
import { openDatabase } from "../storage/open-database.ts";
import { createOrderHandler } from "./order-handler.ts";
import { createOrderStore, orderMigrations } from "./order-store.ts";

/** Opens the orders and serves them. */
export async function startOrderService(settings: Settings, log: Log): Promise<RunningService> {
  const tracing = await startTracing("order-service", settings, log);
  const database = openDatabase(join(settings.dataDir, "orders.db"), orderMigrations);
  const handler = createOrderHandler(createOrderStore(database));
  const server = await listenWithServices(
    {
      services: [OrderService],
      routes: (router) => router.service(OrderService, handler),
      interceptors: observedCalls(log),
      health: createHealth({ log: toFrameworkLog(log, "health") }),
    },
    settings,
    settings.orderPort,
    log,
  );
  const shopRegistry = openShopRegistry(settings.registry, log);
  await shopRegistry.announce("order-service", OrderService, server.address);
  return {
    address: server.address,
    async close() {
      // First, so that those who call are told to go elsewhere before the connections go.
      await shopRegistry.close();
      await server.close();
      database.close();
      await tracing.close();
    },
  };
}
