import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "node:test";
import { Code, ConnectError } from "@connectrpc/connect";
import { describeReadOnlyRegistryContract } from "@tercel/discovery/contracts";
import { createDnsRegistry, type DnsRegistryOptions } from "@tercel/discovery/dns";
import { createBackoff } from "@tercel/grpc";
import { hasIds, idsOf, watching } from "../src/contracts/watching.ts";
import { type ScriptedDns, startScriptedDns } from "./support/scripted-dns.ts";
import { silentLog as log } from "./support/silent-log.ts";

let dns: ScriptedDns;
beforeEach(async () => {
  dns = await startScriptedDns();
});
afterEach(() => dns.close());

function connect(options: DnsRegistryOptions = {}) {
  const backoff = createBackoff({ initialDelayMs: 20, maxDelayMs: 50 });
  return createDnsRegistry({
    servers: [dns.address],
    domain: "svc.test",
    intervalMs: 30,
    timeoutMs: 5000,
    backoff,
    log,
    ...options,
  });
}

function writeSrv(): void {
  dns.zone.set("_grpc._tcp.orders.svc.test", [
    { type: "SRV", data: "20 5 7002 two.svc.test" },
    { type: "SRV", data: "10 60 7001 one.svc.test" },
  ]);
  dns.zone.set("one.svc.test", [{ type: "A", data: "10.0.0.1" }]);
  dns.zone.set("two.svc.test", [{ type: "A", data: "10.0.0.2" }]);
}

test("SRV records provide addresses, ports and weights, the lowest priority first", async () => {
  writeSrv();
  const registry = connect();
  const found = await registry.getService("orders");
  assert.deepEqual(
    found.map(({ id, address, port }) => [id, address, port]),
    [
      ["10.0.0.1:7001", "10.0.0.1", 7001],
      ["10.0.0.2:7002", "10.0.0.2", 7002],
    ],
  );
  assert.equal(found[0]?.metadata.get("weight"), "60");
  assert.equal(found[0]?.health, "unknown");
  await registry.close();
});

test("without SRV records, each address of the name is an instance with the configured port", async () => {
  dns.zone.set("orders.svc.test", [
    { type: "A", data: "10.0.0.1" },
    { type: "A", data: "10.0.0.2" },
  ]);
  const registry = connect({ port: 50051 });
  assert.deepEqual(idsOf(await registry.getService("orders")), ["10.0.0.1:50051", "10.0.0.2:50051"]);
  await registry.close();
  const portless = connect();
  assert.deepEqual(await portless.getService("orders"), []);
  await portless.close();
});

test("without prefix and domain, the name is looked up unchanged", async () => {
  dns.zone.set("orders.service.consul", [{ type: "SRV", data: "1 1 7001 one.test" }]);
  dns.zone.set("one.test", [{ type: "A", data: "10.0.0.1" }]);
  const registry = connect({ srvPrefix: "", domain: "" });
  assert.deepEqual(idsOf(await registry.getService("orders.service.consul")), ["10.0.0.1:7001"]);
  assert.equal(dns.questions[0], "SRV orders.service.consul");
  await registry.close();
});

test("a watch reports changes, and the removal of a name", async () => {
  writeSrv();
  const registry = connect();
  const watch = watching(registry, "orders");
  await watch.until(hasIds("10.0.0.1:7001", "10.0.0.2:7002"));
  dns.zone.set("_grpc._tcp.orders.svc.test", [{ type: "SRV", data: "1 1 7001 one.svc.test" }]);
  await watch.until(hasIds("10.0.0.1:7001"));
  dns.zone.clear();
  await watch.until(hasIds());
  watch.close();
  await registry.close();
});

test("a failing DNS server removes no instance", async () => {
  writeSrv();
  const registry = connect();
  const watch = watching(registry, "orders");
  await watch.until(hasIds("10.0.0.1:7001", "10.0.0.2:7002"));
  dns.mood = "servfail";
  const { error } = await watch.problem();
  assert.match(error.rawMessage, /^DNS at 127\.0\.0\.1:\d+ does not respond: .*ESERVFAIL/);
  await assert.rejects(registry.getService("orders"), (reason) => ConnectError.from(reason).code === Code.Unavailable);
  dns.mood = "honest";
  await watch.until(({ ageMs, added }) => ageMs === 0 && added.length === 0);
  for (const { instances } of watch.snapshots) assert.deepEqual(idsOf(instances), ["10.0.0.1:7001", "10.0.0.2:7002"]);
  watch.close();
  await registry.close();
});

test("registration is rejected with the reason", async () => {
  const registry = connect();
  assert.equal(registry.canRegister, false);
  await assert.rejects(
    registry.register({ name: "a", address: "a", port: 1 }),
    /the owner of the zone writes its records/,
  );
  assert.throws(() => createDnsRegistry({ server: "x" } as DnsRegistryOptions), /did you mean "servers"/);
});

describeReadOnlyRegistryContract("DNS", async () => {
  const registry = connect({ port: 50_051 });
  return {
    registry,
    publish(service, addresses) {
      dns.zone.set(
        `${service}.svc.test`,
        addresses.map((data) => ({ type: "A", data })),
      );
    },
    close: () => registry.close(),
  };
});
