import { cache, client, database, defineService, events } from "@tercel/service";
import { createFeed } from "@tercel/service/feed";
import { createPageFiles } from "../../web/page-files.ts";
import { UserService as ApiUserService } from "../gen/api/user/v1/user_pb.ts";
import { OrderService } from "../gen/shop/order/v1/order_pb.ts";
import { UserService as OldUserService } from "../gen/user/user_pb.ts";
import { UserSchema, UserService } from "../gen/user/v1/user_pb.ts";
import { createCommonDetails } from "../shared/common-details.ts";
import { accessRules } from "./access.ts";
import { createApiUserHandler } from "./handlers/api-user-handler.ts";
import { createUserHandler } from "./handlers/user-handler.ts";
import { createUserV1Handler } from "./handlers/user-v1-handler.ts";
import { createPasswordHash } from "./passwords/password-hash.ts";
import { createClaims } from "./store/idempotency-keys.ts";
import { createUserStore, type UserChange } from "./store/user-store.ts";
import { createWelcomeOrder } from "./welcome-order.ts";

/** Stores the users, and serves them as three packages over one store. */
export const userService = defineService({
  needs: {
    db: database({ migrations: new URL("./migrations/", import.meta.url) }),
    users: cache(UserSchema, { ttlMs: 300_000, name: "users" }),
    events: events(),
    orders: client(OrderService, "order-service"),
  },
  access: ({ config }) => accessRules(config),
  // Its handlers check the rules, because the rules in its proto would refuse valid requests.
  validation: { methods: { "api.user.v1.UserService/*": false } },
  interceptors: () => ({ outermost: [createCommonDetails()] }),
  gateway: {
    methods: [{ of: "api.user.v1.UserService/CreateUser", successStatus: 201 }],
    // The proto, which is prescribed, has no rule for it. As http-rules.yaml has it. Browsers read it with EventSource.
    rules: [
      { selector: "api.user.v1.UserService.StreamUserEvents", pattern: { case: "get", value: "/v1/users:events" } },
    ],
    openapi: { document: () => import("../gen/openapi.json", { with: { type: "json" } }) },
    fallback: createPageFiles(new URL("../../web/dist/", import.meta.url)),
  },
  routes(router, { db, users, orders, log, secret, stopping, health }) {
    const store = createUserStore(db, {
      async onChange(id) {
        await users.delete(id);
        feed.wake();
      },
    });
    const feed = createFeed<UserChange>(store.changes, { stopping });
    const placeWelcomeOrder = createWelcomeOrder(orders, log);
    const claim = createClaims(secret("idempotency fingerprints"));
    const tokenKeys = [{ id: "1", secret: secret("page tokens") }];
    const parts = { db, store, feed, claim, placeWelcomeOrder, tokenKeys };
    router.service(UserService, createUserV1Handler({ ...parts, cache: users, passwords: createPasswordHash() }));
    router.service(OldUserService, createUserHandler(store, placeWelcomeOrder));
    router.service(ApiUserService, createApiUserHandler(parts, stopping));
    // Health by package too: `user.v1` has the status of user.v1.UserService.
    for (const { typeName, file } of [UserService, OldUserService, ApiUserService]) {
      health.follow(typeName, (status) => health.setStatus(file.proto.package, status ?? "NOT_SERVING"));
    }
  },
});
