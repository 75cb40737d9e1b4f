import { join } from "node:path";
import { createHealth } from "@tercel/grpc/services";
import { createRegistry } from "@tercel/interceptors/metrics";
import type { Settings } from "../config/settings.ts";
import { OrderService } from "../gen/shop/order/v1/order_pb.ts";
import { toFrameworkLog } from "../log/framework-log.ts";
import type { Log } from "../log/json-log.ts";
import { listenWithServices } from "../service/listen-with-services.ts";
import { observeService } from "../service/observe-service.ts";
import type { RunningService } from "../service/run-service.ts";
import { openShopRegistry } from "../service/shop-registry.ts";
import { startTracing } from "../service/start-tracing.ts";
import { databaseCheck } from "../storage/database-check.ts";
import { openDatabase } from "../storage/open-database.ts";
import { createStorageWatch } from "../storage/storage-watch.ts";
import { createCallProtection } from "./call-protection.ts";
import { createOrderHandler } from "./order-handler.ts";
import { createOrderStore, orderMigrations } from "./order-store.ts";

/** Opens the orders and serves them. */
export async function startOrderService(settings: Settings, log: Log): Promise<RunningService> {
  const tracing = await startTracing("order-service", settings, log);
  const database = openDatabase(join(settings.dataDir, "orders.db"), orderMigrations);
  const handler = createOrderHandler(createOrderStore(database));
  const registry = createRegistry();
  const storage = createStorageWatch(settings.dataDir, log);
  const health = createHealth({
    checks: [databaseCheck(database, "orders", storage)],
    log: toFrameworkLog(log, "health"),
  });
  const protection = await createCallProtection(settings, registry, log, storage);
  const listening = await listenWithServices(
    {
      services: [OrderService],
      routes: (router) => router.service(OrderService, handler),
      serverOptions: protection.serverOptions,
      health,
    },
    settings,
    settings.orderPort,
    log,
  );
  const observed = { registry, health, serviceName: OrderService.typeName, listening };
  const observation = await observeService({ ...observed, portSetting: "orderMetricsPort" }, settings, log);
  const callers = settings.callerKeysFile === "" ? "user-service, by a development key" : "by their keys in the file";
  log.info("access", { callers, reflection: settings.reflection });
  const shopRegistry = openShopRegistry(settings.registry, log);
  await shopRegistry.announce("order-service", OrderService, listening.address);
  return {
    address: listening.address,
    async close() {
      // First, so that those who call are told to go elsewhere before the connections go.
      await shopRegistry.close();
      await listening.close();
      protection.close();
      await observation.close();
      database.close();
      await tracing.close();
    },
  };
}
