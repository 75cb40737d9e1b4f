import { join } from "node:path";
import { createClient } from "@connectrpc/connect";
import { createDiscoveryResolver } from "@tercel/discovery";
import { createChannel, type ServiceConfigJson } from "@tercel/grpc";
import type { Settings } from "../config/settings.ts";
import { OrderService } from "../gen/shop/order/v1/order_pb.ts";
import { UserService } from "../gen/user/user_pb.ts";
import type { Log } from "../log/json-log.ts";
import { listenWithServices } from "../service/listen-with-services.ts";
import type { RunningService } from "../service/run-service.ts";
import { openShopRegistry } from "../service/shop-registry.ts";
import { openDatabase } from "../storage/open-database.ts";
import { createUserHandler } from "./user-handler.ts";
import { createUserStore, userMigrations } from "./user-store.ts";
import { createWelcomeOrder } from "./welcome-order.ts";

/**
 * Calls go round all instances; one that an instance took down with it goes to the next. Repeating CreateOrder is safe because
 * every order that this service places has a request id.
 */
const orderServiceConfig: ServiceConfigJson = {
  loadBalancingConfig: [{ round_robin: {} }],
  healthCheckConfig: { serviceName: OrderService.typeName },
  methodConfig: [
    {
      name: [{ service: OrderService.typeName }],
      retryPolicy: {
        maxAttempts: 4,
        initialBackoff: "0.02s",
        maxBackoff: "0.2s",
        backoffMultiplier: 2,
        retryableStatusCodes: ["UNAVAILABLE"],
      },
    },
  ],
};

/** Opens the users and serves them, with a channel to order-service. That service need not be there. */
export async function startUserService(settings: Settings, log: Log): Promise<RunningService> {
  const database = openDatabase(join(settings.dataDir, "users.db"), userMigrations);
  const shopRegistry = openShopRegistry(settings.registry, log);
  const { registry } = shopRegistry;
  const resolvers = registry === undefined ? [] : [createDiscoveryResolver(registry)];
  const channel = createChannel(settings.orderAddress, { resolvers, serviceConfig: orderServiceConfig });
  const placeWelcomeOrder = createWelcomeOrder(createClient(OrderService, channel), log);
  const handler = createUserHandler(createUserStore(database), placeWelcomeOrder);
  const server = await listenWithServices(UserService, handler, settings.host, settings.userPort, log);
  await shopRegistry.announce("user-service", UserService, server.address);
  return {
    address: server.address,
    async close() {
      // Calls under way still need the registry, the channel and the database.
      await server.close();
      await channel.close();
      await shopRegistry.close();
      database.close();
    },
  };
}
