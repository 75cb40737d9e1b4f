import assert from "node:assert/strict";
import { test } from "node:test";
import { createHealth, type HealthCheck } from "@tercel/grpc/services";
import { createInMemoryTransport } from "@tercel/grpc/testing";
import { OrderService } from "../gen/shop/order/v1/order_pb.ts";
import { toFrameworkLog } from "../log/framework-log.ts";
import { createJsonLog } from "../log/json-log.ts";
import { openDatabase } from "../storage/open-database.ts";
import { createStorageWatch } from "../storage/storage-watch.ts";
import { readinessChecks } from "./readiness-checks.ts";
import { userMigrations } from "./user-schema.ts";

const service = "user.v1.UserService";
const log = createJsonLog("test", () => {});
const storage = createStorageWatch("/data", log);

/** The health of user-service after its first checks. */
async function healthWith(checks: HealthCheck[]) {
  const health = createHealth({
    checks,
    log: toFrameworkLog(log, "health"),
  });
  health.setStatus(service, "SERVING");
  await health.start();
  const states = health.dependencies().map(({ name, state, problem }) => `${name} ${state} ${problem ?? ""}`.trim());
  const status = health.status(service);
  health.shutdown();
  return { status, states };
}

function open(orderStatus: "SERVING" | "NOT_SERVING") {
  const orders = createHealth();
  orders.setStatus(OrderService.typeName, orderStatus);
  const transport = createInMemoryTransport({ routes: orders.routes });
  return { transport, database: openDatabase(":memory:", userMigrations) };
}

test("with its database and order-service, user-service is ready", async () => {
  const { transport, database } = open("SERVING");
  const { status, states } = await healthWith(readinessChecks(database, storage, transport, "required"));
  assert.equal(status, "SERVING");
  assert.deepEqual(states, ["database present", "order-service present"]);
  await transport.close();
  database.close();
});

test("without its database it is not, and says why", async () => {
  const { transport, database } = open("SERVING");
  const checks = readinessChecks(database, storage, transport, "required");
  database.exec("DROP TABLE users");
  const { status, states } = await healthWith(checks);
  assert.equal(status, "NOT_SERVING");
  assert.match(states[0] ?? "", /^database missing no such table: users$/);
  await transport.close();
  database.close();
});

test("an order-service that does not serve counts if it is required", async () => {
  for (const [dependency, expected] of [
    ["required", "NOT_SERVING"],
    ["optional", "SERVING"],
  ] as const) {
    const { transport, database } = open("NOT_SERVING");
    const { status, states } = await healthWith(readinessChecks(database, storage, transport, dependency));
    assert.equal(status, expected);
    assert.equal(states[1], "order-service missing shop.order.v1.OrderService says NOT_SERVING");
    await transport.close();
    database.close();
  }
});
