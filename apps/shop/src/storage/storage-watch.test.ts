import assert from "node:assert/strict";
import { closeSync, mkdtempSync, openSync, rmSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, test } from "node:test";
import { Code, ConnectError, createClient } from "@connectrpc/connect";
import { createHealth, type Health } from "@tercel/grpc/services";
import { assertStatus, createFakeClock, createInMemoryTransport } from "@tercel/grpc/testing";
import { OrderService } from "../gen/shop/order/v1/order_pb.ts";
import { toFrameworkLog } from "../log/framework-log.ts";
import { createJsonLog, type LogFields } from "../log/json-log.ts";
import { createOrderHandler } from "../order-service/order-handler.ts";
import { createOrderStore, orderMigrations } from "../order-service/order-store.ts";
import { checkIntervalMs, databaseCheck } from "./database-check.ts";
import { openDatabase } from "./open-database.ts";
import { createStorageWatch } from "./storage-watch.ts";

let folder: string;
let cleanUps: (() => unknown)[];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "tercel-storage-"));
  cleanUps = [];
});
afterEach(async () => {
  for (const cleanUp of cleanUps.reverse()) await cleanUp();
  rmSync(folder, { recursive: true });
});

/** order-service in this process, over a database file, with a health check by a fake clock. */
async function openOrders() {
  const clock = createFakeClock();
  const lines: LogFields[] = [];
  const log = createJsonLog("test", (line) => void lines.push(JSON.parse(line)));
  const database = openDatabase(join(folder, "orders.db"), orderMigrations);
  const watch = createStorageWatch(folder, log, clock);
  const health: Health = createHealth({
    checks: [databaseCheck(database, "orders", watch)],
    clock,
    log: toFrameworkLog(log, "health"),
  });
  health.setStatus(OrderService.typeName, "SERVING");
  await health.start();
  const transport = createInMemoryTransport({
    routes: (router) => router.service(OrderService, createOrderHandler(createOrderStore(database))),
    serverOptions: { interceptors: [watch.interceptor], log: toFrameworkLog(log, "server") },
  });
  cleanUps.push(
    () => database.close(),
    () => transport.close(),
    () => health.shutdown(),
  );
  const client = createClient(OrderService, transport);
  const items = Array.from({ length: 50 }, (_, at) => ({ sku: `sku-${at}-${"x".repeat(50)}`, quantity: 1 }));
  return {
    clock,
    database,
    client,
    place: () => client.createOrder({ userId: "ada", items }),
    status: () => health.status(OrderService.typeName),
    problem: () => health.dependencies()[0]?.problem,
    events: (event: string) => lines.filter((line) => line.event === event),
  };
}

/** No page more than there is: what a full disk is to SQLite. */
function limitPages(database: DatabaseSync): void {
  database.exec("PRAGMA max_page_count = 1");
}

function allowPages(database: DatabaseSync): void {
  database.exec("PRAGMA max_page_count = 1000000");
}

async function failOnce(place: () => Promise<unknown>, code: Code, text: RegExp): Promise<ConnectError> {
  for (let call = 0; call < 1000; call++) {
    try {
      await place();
    } catch (error) {
      return assertStatus(Promise.reject(error), code, text);
    }
  }
  throw new Error("the database was never full");
}

test("on a full disk a write is RESOURCE_EXHAUSTED, reads go on, and health is NOT_SERVING until there is room", async () => {
  const orders = await openOrders();
  const { id } = await orders.place();
  limitPages(orders.database);
  const error = await failOnce(
    orders.place,
    Code.ResourceExhausted,
    /nothing was stored: the disk of the service is full/,
  );
  assert.doesNotMatch(error.message, /tercel-storage/);
  assert.equal((await orders.client.getOrder({ orderId: id })).id, id);
  await orders.clock.advance(checkIntervalMs);
  assert.equal(orders.status(), "NOT_SERVING");
  assert.match(orders.problem() ?? "", /database or disk is full/);

  await orders.clock.advance(3 * checkIntervalMs);
  assert.equal(orders.status(), "NOT_SERVING");

  allowPages(orders.database);
  await orders.clock.advance(checkIntervalMs);
  assert.equal(orders.status(), "SERVING");
  await orders.place();
  assert.equal(orders.events("storage_recovered").length, 1);
  assert.deepEqual(orders.database.prepare("SELECT name FROM sqlite_schema WHERE name = 'storage_probe'").all(), []);
});

test("a thousand failed calls are one line in the log, and one more each minute that it lasts", async () => {
  const orders = await openOrders();
  limitPages(orders.database);
  await failOnce(orders.place, Code.ResourceExhausted, /full/);
  for (let call = 1; call < 1000; call++) await assert.rejects(orders.place());
  const [line, ...others] = orders.events("storage_failed");
  assert.deepEqual(others, []);
  const { level, problem, dataDir, error, remedy } = line ?? {};
  assert.deepEqual(
    { level, problem, dataDir, error, remedy },
    {
      level: "error",
      problem: "full",
      dataDir: folder,
      error: "database or disk is full",
      remedy: "free some space; the service recovers by itself",
    },
  );
  await orders.clock.advance(60_000);
  await assert.rejects(orders.place());
  assert.deepEqual(
    orders.events("storage_failed").map(({ failedCalls }) => failedCalls),
    [1, 1001],
  );
});

test("while nothing fails, the health check writes nothing", async () => {
  const orders = await openOrders();
  const changes = () => orders.database.prepare("SELECT total_changes() AS changes").get()?.changes;
  const before = changes();
  await orders.clock.advance(10 * checkIntervalMs);
  assert.equal(changes(), before);
  assert.equal(orders.status(), "SERVING");
});

test("a database that may only be read is UNAVAILABLE, and serves again by itself", async () => {
  const orders = await openOrders();
  orders.database.exec("PRAGMA query_only = 1");
  await assertStatus(orders.place(), Code.Unavailable, /cannot use its database/);
  await orders.clock.advance(checkIntervalMs);
  assert.equal(orders.status(), "NOT_SERVING");
  orders.database.exec("PRAGMA query_only = 0");
  await orders.clock.advance(checkIntervalMs);
  assert.equal(orders.status(), "SERVING");
  await orders.place();
});

test("a damaged page is DATA_LOSS, and health stays NOT_SERVING though other pages can be written", async () => {
  const orders = await openOrders();
  await orders.place();
  const page = Number(
    orders.database.prepare("SELECT rootpage FROM sqlite_schema WHERE name = 'order_items'").get()?.rootpage,
  );
  const pageBytes = Number(orders.database.prepare("PRAGMA page_size").get()?.page_size);
  orders.database.exec("PRAGMA wal_checkpoint(TRUNCATE)");
  const file = openSync(join(folder, "orders.db"), "r+");
  writeSync(file, Buffer.alloc(pageBytes, 0x77), 0, pageBytes, (page - 1) * pageBytes);
  closeSync(file);
  // Or SQLite would read the page from its cache.
  orders.database.exec("PRAGMA shrink_memory");
  await assertStatus(orders.place(), Code.DataLoss, /damaged/);
  await orders.clock.advance(2 * checkIntervalMs);
  assert.equal(orders.status(), "NOT_SERVING");
});

test("a lock that another process holds too long is UNAVAILABLE, and says nothing about the disk", async () => {
  const orders = await openOrders();
  orders.database.exec("PRAGMA busy_timeout = 1");
  const other = new DatabaseSync(join(folder, "orders.db"));
  cleanUps.push(() => other.close());
  other.exec("BEGIN IMMEDIATE");
  await assertStatus(orders.place(), Code.Unavailable, /nothing was stored: the database is in use/);
  await orders.clock.advance(checkIntervalMs);
  assert.equal(orders.status(), "SERVING");
  other.exec("ROLLBACK");
  await orders.place();
  assert.deepEqual(orders.events("storage_failed"), []);
});

test("a violated constraint is a mistake of the program, and stays one", async () => {
  const log = createJsonLog("test", () => {});
  const watch = createStorageWatch(folder, log);
  const database = new DatabaseSync(":memory:");
  cleanUps.push(() => database.close());
  database.exec("CREATE TABLE a (n INTEGER CHECK (n > 0)) STRICT");
  const transport = createInMemoryTransport({
    routes: (router) =>
      router.service(OrderService, {
        getOrder: () => {
          database.exec("INSERT INTO a (n) VALUES (0)");
          return {};
        },
      }),
    serverOptions: { interceptors: [watch.interceptor], log: toFrameworkLog(log, "server") },
  });
  cleanUps.push(() => transport.close());
  const error = await createClient(OrderService, transport)
    .getOrder({ orderId: "a" })
    .catch((thrown: unknown) => ConnectError.from(thrown));
  assert.ok(error instanceof ConnectError);
  assert.ok(error.code === Code.Internal || error.code === Code.Unknown, error.message);
  assert.equal(watch.problem, undefined);
});
