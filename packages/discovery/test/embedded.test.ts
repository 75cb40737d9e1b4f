import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "node:test";
import { Code, ConnectError, createRouterTransport } from "@connectrpc/connect";
import type { Registry } from "@tercel/discovery";
import { describeRegistryContract } from "@tercel/discovery/contracts";
import { createEmbeddedRegistry, createRegistryService } from "@tercel/discovery/embedded";
import { createBackoff, createServer, type Server } from "@tercel/grpc";
import { createFakeClock } from "@tercel/grpc/testing";
import { hasIds, idsOf, watching } from "../src/contracts/watching.ts";
import { silentLog } from "./support/silent-log.ts";

const log = silentLog;
let hosted: { server: Server; target: string; close(): Promise<void> };
const open: Registry[] = [];

async function host(port = 0, options: Parameters<typeof createRegistryService>[0] = {}) {
  const registry = createRegistryService({ log, ...options });
  const server = createServer({ routes: registry.routes });
  const address = await server.listen({ port });
  return {
    server,
    target: `127.0.0.1:${address.port}`,
    async close() {
      registry.close();
      await server.close({ deadlineMs: 0 });
    },
  };
}

function connect(options: Partial<Parameters<typeof createEmbeddedRegistry>[0]> = {}): Registry {
  const backoff = createBackoff({ initialDelayMs: 20, maxDelayMs: 50 });
  const registry = createEmbeddedRegistry({ target: hosted.target, log, backoff, ...options });
  open.push(registry);
  return registry;
}

beforeEach(async () => {
  hosted = await host();
});
afterEach(async () => {
  await Promise.all(open.splice(0).map((registry) => registry.close()));
  await hosted.close();
});

describeRegistryContract("the embedded registry", () => ({ open: connect }));

test("no instance is removed while the registry is down, and all register again after its restart", async () => {
  const service = connect();
  const caller = connect();
  await service.register({ name: "orders", id: "one", address: "127.0.0.1", port: 1 });
  await service.register({ name: "orders", id: "two", address: "127.0.0.1", port: 2 });
  const watch = watching(caller, "orders");
  await watch.until(hasIds("one", "two"));

  await hosted.close();
  const problem = await watch.problem();
  assert.match(
    problem.error.rawMessage,
    /^the embedded registry at 127\.0\.0\.1:\d+ does not respond: .*attempt 1, next in/,
  );
  assert.ok(problem.ageMs !== undefined);
  await assert.rejects(caller.getService("orders"), (error) => ConnectError.from(error).code === Code.Unavailable);

  const port = Number(hosted.target.split(":")[1]);
  hosted = await host(port);
  const back = await watch.until(({ ageMs }) => ageMs === 0);
  // The new registry is empty and reports that it is settling.
  for (const { instances } of watch.snapshots) assert.deepEqual(idsOf(instances), ["one", "two"]);
  assert.deepEqual(back.removed, []);
  watch.close();
});

test("an instance that does not register again after a restart is removed when the registry has settled", async () => {
  await hosted.close();
  hosted = await host(0, { leaseMs: 3000 });
  const port = Number(hosted.target.split(":")[1]);
  const gone = connect();
  const stays = connect();
  const caller = connect();
  await gone.register({ name: "orders", id: "gone", address: "127.0.0.1", port: 1 });
  await stays.register({ name: "orders", id: "stays", address: "127.0.0.1", port: 2 });
  const watch = watching(caller, "orders");
  await watch.until(hasIds("gone", "stays"));
  await hosted.close();
  await watch.problem();
  await gone.close();
  hosted = await host(port, { leaseMs: 3000 });
  await watch.until(({ ageMs }) => ageMs === 0);
  await watch.until(hasIds("stays"));
  assert.ok(watch.snapshots.every(({ instances }) => idsOf(instances).includes("stays")));
  watch.close();
});

test("an instance is renewed until its registry object closes, and then removed", async () => {
  const clock = createFakeClock();
  const registry = createRegistryService({ log, clock });
  const transport = createRouterTransport(registry.routes);
  const first = createEmbeddedRegistry({ transport, log, clock });
  const second = createEmbeddedRegistry({ transport, log, leaseMs: 30_000, clock });
  await first.register({ name: "orders", id: "first", address: "127.0.0.1", port: 1 });
  await second.register({ name: "orders", id: "second", address: "127.0.0.1", port: 2 });
  const watch = watching(second, "orders");
  await watch.until(hasIds("first", "second"));
  // Four leases.
  await clock.advance(60_000);
  assert.deepEqual(idsOf(await second.getService("orders")), ["first", "second"]);
  assert.equal(registry.size, 2);
  await second.close();
  assert.equal(registry.size, 1);
  await first.close();
  registry.close();
});

test("a registration that never succeeds is rejected with the reason, and nothing stays registered", async () => {
  await hosted.close();
  const registry = connect({ registerTimeoutMs: 200 });
  const failing = registry.register({ name: "orders", id: "one", address: "127.0.0.1", port: 1 });
  await assert.rejects(failing, (error) => {
    assert.ok(error instanceof ConnectError);
    assert.equal(error.code, Code.Unavailable);
    assert.match(
      error.rawMessage,
      /cannot register orders \(one\) with the embedded registry at .* within 0\.2 s: .*ECONNREFUSED/,
    );
    return true;
  });
  hosted = await host(Number(hosted.target.split(":")[1]));
  assert.deepEqual(await connect().getService("orders"), []);
});

test("the id of another live instance is rejected at once", async () => {
  await connect().register({ name: "orders", id: "one", address: "127.0.0.1", port: 1 });
  const taken = connect().register({ name: "orders", id: "one", address: "127.0.0.1", port: 2 });
  await assert.rejects(taken, (error) => ConnectError.from(error).code === Code.AlreadyExists);
  // The same address with the same id is the restarted process.
  await connect().register({ name: "orders", id: "one", address: "127.0.0.1", port: 1 });
});

test("a full registry rejects further instances", async () => {
  await hosted.close();
  hosted = await host(0, { maxInstances: 2 });
  const registry = connect({ registerTimeoutMs: 300 });
  await registry.register({ name: "a", address: "127.0.0.1", port: 1 });
  await registry.register({ name: "b", address: "127.0.0.1", port: 1 });
  await assert.rejects(
    registry.register({ name: "c", address: "127.0.0.1", port: 1 }),
    /registry is full: 2 instances/,
  );
});

test("a service with thousands of instances is reported completely", async () => {
  const registry = connect();
  const names = Array.from({ length: 1201 }, (_, at) => `i${String(at).padStart(5, "0")}`);
  await Promise.all(names.map((id, at) => registry.register({ name: "many", id, address: "10.0.0.1", port: at + 1 })));
  const watch = watching(connect(), "many");
  const snapshot = await watch.until(({ instances }) => instances.length >= 1201);
  assert.deepEqual(idsOf(snapshot.instances), names);
  assert.deepEqual(idsOf(await connect().getService("many")), names);
  assert.equal(watch.snapshots.length, 1);
  watch.close();
});
