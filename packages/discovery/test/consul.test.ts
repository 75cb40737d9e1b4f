import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer as createHttpServer } from "node:http";
import type { AddressInfo } from "node:net";
import { after, before, describe, test } from "node:test";
import { Code, ConnectError } from "@connectrpc/connect";
import { type ConsulRegistryOptions, createConsulRegistry } from "@tercel/discovery/consul";
import { describeRegistryContract } from "@tercel/discovery/contracts";
import { createBackoff, createServer } from "@tercel/grpc";
import { createHealth } from "@tercel/grpc/services";
import { createServerProcess, findProgram, freePorts, type ServerProcess } from "@tercel/test-support/servers";
import { hasIds, idsOf, watching } from "../src/contracts/watching.ts";
import { silentLog as log } from "./support/silent-log.ts";

const program = findProgram("consul");
const skip = program === undefined && "Consul is not installed; .ci/run builds it";
const backoff = createBackoff({ initialDelayMs: 50, maxDelayMs: 200 });

/** Starts a development agent: one server without storage. With `join`, it is a client agent of that cluster. */
async function startConsul(config: Record<string, unknown> = {}, join?: string) {
  const [http, dns, server, serfLan = 0, serfWan, grpc] = await freePorts(6);
  const address = `http://127.0.0.1:${http}`;
  const ports = { http, dns, server, serf_lan: serfLan, serf_wan: serfWan, grpc, grpc_tls: -1, https: -1 };
  const hcl = JSON.stringify({ ports, check_update_interval: "0s", ...config });
  const common = ["-bind=127.0.0.1", "-client=127.0.0.1", "-log-level=info", `-hcl=${hcl}`];
  const consul = createServerProcess((folder) => ({
    program: program ?? "consul",
    args:
      join === undefined
        ? ["agent", "-dev", ...common]
        : ["agent", `-data-dir=${folder}`, `-node=agent-${http}`, `-retry-join=${join}`, ...common],
    // Then the cluster has a leader, and registrations reach the catalog.
    readyTexts: ["Synced node info"],
  }));
  await consul.start();
  return { consul, address, serf: `127.0.0.1:${serfLan}` };
}

describe("Consul", { skip, timeout: 120_000 }, () => {
  let consul: ServerProcess;
  let address: string;
  const connect = (options: ConsulRegistryOptions = {}) =>
    createConsulRegistry({ address, log, backoff, check: { kind: "ttl" }, ...options });

  before(async () => {
    ({ consul, address } = await startConsul());
  });
  after(() => consul.dispose());

  describeRegistryContract("consul", () => ({ open: connect }));

  test("checks an instance by gRPC and reports the result to other clients", async () => {
    const health = createHealth();
    const server = createServer({ routes: health.routes });
    const { port } = await server.listen({ port: 0 });
    const registry = connect({ check: { intervalMs: 1000, timeoutMs: 500, deregisterAfterMs: 60_000 } });
    await registry.register({ name: "checked", id: "checked-1", address: "127.0.0.1", port });
    const checks = (await (await fetch(`${address}/v1/agent/checks`)).json()) as Record<string, { Type: string }>;
    assert.equal(checks["service:checked-1"]?.Type, "grpc");
    const watch = watching(registry, "checked");
    await watch.until(({ instances }) => instances[0]?.health === "serving");
    health.setStatus("", "NOT_SERVING");
    await watch.until(({ instances }) => instances[0]?.health === "not_serving");
    health.setStatus("", "SERVING");
    await watch.until(({ instances }) => instances[0]?.health === "serving");
    await server.close({ deadlineMs: 0 });
    await watch.until(({ instances }) => instances[0]?.health === "not_serving");
    watch.close();
    await registry.close();
  });

  test("checks an instance by HTTP on a separate port and reports the result to other clients", async () => {
    let status = 200;
    const asked: (string | undefined)[] = [];
    const pages = createHttpServer((request, response) => {
      asked.push(request.url);
      response.writeHead(status).end();
    });
    await once(pages.listen(0, "127.0.0.1"), "listening");
    const { port: httpPort } = pages.address() as AddressInfo;
    const registry = connect({ check: { kind: "http", path: "/ready", httpPort, intervalMs: 1000, timeoutMs: 500 } });
    await registry.register({ name: "pages", id: "pages-1", address: "127.0.0.1", port: 1 });
    const checks = (await (await fetch(`${address}/v1/agent/checks`)).json()) as Record<string, { Type: string }>;
    assert.equal(checks["service:pages-1"]?.Type, "http");
    const watch = watching(registry, "pages");
    await watch.until(({ instances }) => instances[0]?.health === "serving");
    status = 503;
    await watch.until(({ instances }) => instances[0]?.health === "not_serving");
    assert.deepEqual(new Set(asked), new Set(["/ready"]));
    watch.close();
    await registry.close();
    pages.closeAllConnections();
    pages.close();
  });

  test("rejects a check with an invalid path or port", () => {
    assert.throws(
      () => connect({ check: { kind: "http", path: "ready" } }),
      /check\.path is "ready"; it has to start with \//,
    );
    assert.throws(() => connect({ check: { kind: "http", httpPort: 0 } }), /check\.httpPort is 0/);
  });

  test("stores lists that are too long for one Meta value", async () => {
    const registry = connect();
    const endpoints = Array.from({ length: 60 }, (_, at) => `shop.order.v1.Service${at}`);
    const { instance } = await registry.register({ name: "lists", address: "127.0.0.1", port: 1, endpoints });
    assert.deepEqual((await registry.getService("lists"))[0], instance);
    const taken = registry.register({ name: "lists", address: "127.0.0.1", port: 2, metadata: { version: "x" } });
    await assert.rejects(taken, /metadata key "version" is reserved/);
    await registry.close();
  });

  test("reports several changes without a problem in between", async () => {
    const registry = connect();
    const other = connect();
    const watch = watching(other, "changes");
    for (let at = 1; at <= 5; at++) {
      await registry.register({ name: "changes", id: `i${at}`, address: "127.0.0.1", port: at });
      await watch.until(({ instances }) => instances.length === at);
    }
    assert.deepEqual(watch.problems, []);
    watch.close();
    await registry.close();
    await other.close();
  });

  test("registers an instance again that Consul has lost", async () => {
    const registry = connect({ check: { kind: "ttl", ttlMs: 1500 } });
    await registry.register({ name: "lost", id: "lost-1", address: "127.0.0.1", port: 1 });
    const watch = watching(registry, "lost");
    await watch.until(hasIds("lost-1"));
    await fetch(`${address}/v1/agent/service/deregister/lost-1`, { method: "PUT" });
    await watch.until(hasIds());
    await watch.until(hasIds("lost-1"));
    watch.close();
    await registry.close();
  });

  test("removes no instance when Consul loses its state in a restart", async () => {
    const registry = connect({ check: { kind: "ttl", ttlMs: 1500 } });
    const other = connect();
    await registry.register({ name: "stays", id: "stays-1", address: "127.0.0.1", port: 1 });
    // Raises the index, so that a new agent's is lower.
    for (let at = 0; at < 30; at++) await fetch(`${address}/v1/kv/x`, { method: "PUT", body: `${at}` });
    await registry.register({ name: "stays", id: "stays-2", address: "127.0.0.1", port: 2 });
    const watch = watching(other, "stays");
    await watch.until(hasIds("stays-1", "stays-2"));
    await consul.kill();
    const { error } = await watch.problem();
    assert.match(error.rawMessage, /^consul at http:\/\/127\.0\.0\.1:\d+ does not respond: .*attempt 1/);
    await consul.start();
    await watch.until(({ ageMs, added, instances }) => ageMs === 0 && added.length === 0 && instances.length === 2);
    for (const { instances } of watch.snapshots) assert.deepEqual(idsOf(instances), ["stays-1", "stays-2"]);
    watch.close();
    await registry.close();
    await other.close();
  });
});

describe("several agents of Consul", { skip, timeout: 60_000 }, () => {
  test("switches to the next agent when the one in use dies, and removes no instance", async () => {
    const first = await startConsul();
    const second = await startConsul({}, first.serf);
    // The server stays. The client agent, which is used first, dies.
    const options: ConsulRegistryOptions = {
      address: [second.address, first.address],
      log,
      backoff,
      check: { kind: "ttl", ttlMs: 1500 },
    };
    const registry = createConsulRegistry(options);
    const other = createConsulRegistry(options);
    const watch = watching(other, "orders");
    try {
      await registry.register({ name: "orders", id: "one", address: "127.0.0.1", port: 1 });
      await watch.until(hasIds("one"));
      const agentServices = async (address: string) =>
        Object.keys((await (await fetch(`${address}/v1/agent/services`)).json()) as object);
      assert.deepEqual(await agentServices(second.address), ["one"]);
      await second.consul.kill();
      await registry.register({ name: "orders", id: "two", address: "127.0.0.1", port: 2 });
      await watch.until(hasIds("one", "two"));
      // The renewal at the new agent fails, so the instance is registered there.
      while ((await agentServices(first.address)).length < 2);
      await watch.until(({ instances }) => instances.every(({ health }) => health === "serving"));
      assert.deepEqual(idsOf(await other.getService("orders")), ["one", "two"]);
      const registered = watch.snapshots.findIndex(hasIds("one"));
      for (const { instances } of watch.snapshots.slice(registered)) assert.ok(idsOf(instances).includes("one"));
      await registry.deregister("one");
      assert.deepEqual(await agentServices(first.address), ["two"]);
      // The dead agent's entry stays in the catalog, on a failed node.
      await watch.until(({ instances }) => instances.find(({ id }) => id === "one")?.health !== "serving");
    } finally {
      watch.close();
      await registry.close();
      await other.close();
      await second.consul.dispose();
      await first.consul.dispose();
    }
  });
});

describe("Consul with access control", { skip, timeout: 60_000 }, () => {
  test("serves a client with the token, and rejects one without at once; the error does not contain the token", async () => {
    const acl = { enabled: true, default_policy: "deny", tokens: { initial_management: "root", agent: "root" } };
    const { consul, address } = await startConsul({ acl });
    try {
      const instance = { name: "secret", id: "secret-1", address: "127.0.0.1", port: 1 };
      const allowed = createConsulRegistry({ address, log, token: () => "root", check: { kind: "none" } });
      await allowed.register(instance);
      assert.deepEqual(idsOf(await allowed.getService("secret")), ["secret-1"]);
      const denied = createConsulRegistry({ address, log, token: "wrong-token", check: { kind: "none" } });
      await assert.rejects(denied.register({ ...instance, id: "secret-2" }), (error) => {
        const { code, rawMessage } = ConnectError.from(error);
        assert.equal(code, Code.PermissionDenied);
        assert.match(rawMessage, /consul at .* refuses to register secret \(secret-2\): .*HTTP 403/);
        assert.ok(!rawMessage.includes("wrong-token"));
        return true;
      });
      await denied.close();
      await allowed.close();
    } finally {
      await consul.dispose();
    }
  });
});

test("createConsulRegistry rejects invalid options by name", () => {
  assert.throws(() => createConsulRegistry({ adress: "x" } as ConsulRegistryOptions), /did you mean "address"/);
  assert.throws(() => createConsulRegistry({ address: "ftp://x" }), /http:\/\/ or https:\/\//);
  assert.throws(() => createConsulRegistry({ address: [] }), /address is empty/);
  assert.throws(() => createConsulRegistry({ waitMs: 999 }), /waitMs is 999/);
  assert.throws(() => createConsulRegistry({ check: { kind: "udp" as "grpc" } }), /check\.kind is "udp"/);
});
