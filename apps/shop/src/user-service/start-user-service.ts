import { join } from "node:path";
import { createClient } from "@connectrpc/connect";
import { createHealth } from "@tercel/grpc/services";
import { createRedisCacheStore } from "@tercel/interceptors/cache";
import { createSqliteIdempotencyStore } from "@tercel/interceptors/idempotency";
import { createRegistry } from "@tercel/interceptors/metrics";
import { createRedisStore } from "@tercel/interceptors/rate-limit";
import type { Settings } from "../config/settings.ts";
import { OrderService } from "../gen/shop/order/v1/order_pb.ts";
import { UserService as OldUserService } from "../gen/user/user_pb.ts";
import { UserService } from "../gen/user/v1/user_pb.ts";
import { toFrameworkLog } from "../log/framework-log.ts";
import type { Log } from "../log/json-log.ts";
import { listenWithServices } from "../service/listen-with-services.ts";
import { observeService } from "../service/observe-service.ts";
import type { RunningService } from "../service/run-service.ts";
import { maySendInCleartext, ownServiceKey } from "../service/service-keys.ts";
import { openServiceSecret } from "../service/service-secret.ts";
import { openSharedRedis } from "../service/shared-redis.ts";
import { openShopRegistry } from "../service/shop-registry.ts";
import { startTracing } from "../service/start-tracing.ts";
import { openDatabase } from "../storage/open-database.ts";
import { openStorage } from "../storage/storage-start-error.ts";
import { createStorageWatch } from "../storage/storage-watch.ts";
import { isOldPackageOpen } from "./access-rules.ts";
import { createCallProtection } from "./call-protection.ts";
import { openOrderChannel } from "./order-channel.ts";
import { createPasswordHash } from "./password-hash.ts";
import { readinessChecks } from "./readiness-checks.ts";
import { createUserCache } from "./user-cache.ts";
import { openUserChanges } from "./user-changes.ts";
import { createUserHandler } from "./user-handler.ts";
import { userMigrations } from "./user-schema.ts";
import { createUserSearch } from "./user-search.ts";
import { createUserStore } from "./user-store.ts";
import { createUserUpdates } from "./user-updates.ts";
import { createUserV1Handler } from "./user-v1-handler.ts";
import { createWelcomeOrder } from "./welcome-order.ts";

/** Opens the users and serves them, as `user` and as `user.v1`. order-service need not be there. */
export async function startUserService(settings: Settings, log: Log): Promise<RunningService> {
  const tracing = await startTracing("user-service", settings, log);
  const secret = openServiceSecret(settings.secretFile);
  const database = openDatabase(join(settings.dataDir, "users.db"), userMigrations);
  const storage = createStorageWatch(settings.dataDir, log);
  const keysPath = join(settings.dataDir, "idempotency.db");
  const idempotencyKeys = openStorage(keysPath, () => createSqliteIdempotencyStore({ path: keysPath }));
  const registry = createRegistry();
  const shopRegistry = openShopRegistry(settings.registry, log);
  const channel = await openOrderChannel(settings.orderAddress, {
    instances: shopRegistry.registry,
    metrics: registry,
    key: ownServiceKey(settings, () => secret),
    isCleartextFine: maySendInCleartext(settings),
  });

  const changes = openUserChanges(database);
  const updates = createUserUpdates(changes, (id) => store.get(id));
  const store = createUserStore(database, {
    changes,
    onChange({ userId }) {
      cache.forget(userId);
      updates.tell();
    },
  });
  const redis = openSharedRedis(settings.redisUrl, log);
  const cache = createUserCache(
    redis && createRedisCacheStore({ client: redis.client }),
    (id) => store.get(id),
    registry,
    log,
  );
  const placeWelcomeOrder = createWelcomeOrder(createClient(OrderService, channel), log);
  const handler = createUserV1Handler({
    store,
    cache,
    search: createUserSearch(database),
    updates,
    passwords: createPasswordHash(),
    placeWelcomeOrder,
    tokenKeys: [{ id: "1", secret: secret.key("page tokens") }],
  });

  const services = [UserService, OldUserService];
  const protection = await createCallProtection({
    services,
    settings,
    secret,
    registry,
    idempotencyStore: idempotencyKeys,
    rateLimitStores: redis && {
      client: createRedisStore({ client: redis.client }),
      address: createRedisStore({ client: redis.client, keyPrefix: "tercel:address-limit" }),
    },
    storage,
    log,
  });
  const health = createHealth({
    checks: readinessChecks(database, storage, channel, settings.orderDependency),
    log: toFrameworkLog(log, "health"),
  });
  const listening = await listenWithServices(
    {
      services,
      routes(router) {
        router.service(UserService, handler);
        router.service(OldUserService, createUserHandler(store, placeWelcomeOrder));
      },
      serverOptions: protection.serverOptions,
      health,
    },
    settings,
    settings.userPort,
    log,
  );
  const observed = { registry, health, serviceName: UserService.typeName, listening };
  const observation = await observeService({ ...observed, portSetting: "metricsPort" }, settings, log);
  log.info("access", {
    oldPackage: isOldPackageOpen(settings) ? "open" : "admins",
    serviceKey: settings.serviceKeyFile === "" ? "a development key" : "in its file",
    reflection: settings.reflection,
  });
  await shopRegistry.announce("user-service", UserService, listening.address);
  return {
    address: listening.address,
    async close() {
      // Streams of updates would stay open until the drain's deadline.
      updates.close();
      // Calls under way still need the registry, the channel and the databases.
      await listening.close();
      protection.close();
      await observation.close();
      await channel.close();
      await shopRegistry.close();
      redis?.close();
      idempotencyKeys.close();
      database.close();
      await tracing.close();
    },
  };
}
