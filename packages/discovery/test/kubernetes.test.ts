import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, test } from "node:test";
import { Code, ConnectError } from "@connectrpc/connect";
import type { Registry } from "@tercel/discovery";
import { describeReadOnlyRegistryContract } from "@tercel/discovery/contracts";
import { createKubernetesRegistry, type KubernetesRegistryOptions } from "@tercel/discovery/kubernetes";
import { createBackoff } from "@tercel/grpc";
import { hasIds, idsOf, watching } from "../src/contracts/watching.ts";
import {
  endpointSlice,
  podEndpoint,
  type ScriptedApiServer,
  startScriptedApiServer,
} from "./support/scripted-api-server.ts";
import { startScriptedDns } from "./support/scripted-dns.ts";
import { silentLog as log } from "./support/silent-log.ts";

let api: ScriptedApiServer;
let accountFolder: string;
const open: Registry[] = [];
beforeEach(async () => {
  api = await startScriptedApiServer();
  accountFolder = mkdtempSync(join(tmpdir(), "tercel-account-"));
  writeFileSync(join(accountFolder, "token"), "first-token\n");
  writeFileSync(join(accountFolder, "namespace"), "shop");
});
afterEach(async () => {
  for (const registry of open.splice(0)) await registry.close();
  await api.close();
  rmSync(accountFolder, { recursive: true });
});

function connect(options: KubernetesRegistryOptions = {}): Registry {
  const backoff = createBackoff({ initialDelayMs: 20, maxDelayMs: 50 });
  const registry = createKubernetesRegistry({ apiServer: api.url, accountFolder, backoff, log, ...options });
  open.push(registry);
  return registry;
}

const put = (slice: ReturnType<typeof endpointSlice>): void => void api.slices.set(slice.metadata.name, slice);
const watchesOf = () => api.requests.filter(({ url }) => url.searchParams.has("watch"));
const listsOf = () => api.requests.filter(({ url }) => !url.searchParams.has("watch"));

test("each pod of a Service is an instance, with its zone, its node and the Service's version", async () => {
  put(endpointSlice("orders-a", 90, [podEndpoint("orders-1", "10.0.0.1")]));
  const [instance] = await connect().getService("orders");
  assert.deepEqual(instance, {
    id: "uid-orders-1",
    name: "orders",
    version: "v1.4.0",
    address: "10.0.0.1",
    port: 50051,
    metadata: new Map([
      ["zone", "eu-1a"],
      ["node", "node-a"],
      ["pod", "orders-1"],
    ]),
    endpoints: [],
    dependencies: [],
    health: "serving",
  });
  const [request] = api.requests;
  assert.equal(request?.url.pathname, "/apis/discovery.k8s.io/v1/namespaces/shop/endpointslices");
  assert.equal(request?.url.searchParams.get("labelSelector"), "kubernetes.io/service-name=orders");
  assert.equal(request?.authorization, "Bearer first-token");
});

test("the token is read for each request, as Kubernetes renews it", async () => {
  const registry = connect();
  await registry.getService("orders");
  writeFileSync(join(accountFolder, "token"), "second-token");
  await registry.getService("orders");
  assert.deepEqual(
    api.requests.map(({ authorization }) => authorization),
    ["Bearer first-token", "Bearer second-token"],
  );
});

test("pods that are not ready or terminating are unhealthy; a pod in two slices counts once", async () => {
  put(
    endpointSlice("orders-a", 90, [podEndpoint("one", "10.0.0.1"), podEndpoint("two", "10.0.0.2", { ready: false })]),
  );
  put(endpointSlice("orders-b", 91, [podEndpoint("three", "10.0.0.3", { ready: false, terminating: true })]));
  put(endpointSlice("orders-c", 92, [podEndpoint("two", "10.0.0.2")]));
  const found = await connect().getService("orders");
  const health = Object.fromEntries(found.map((one) => [one.metadata.get("pod"), one.health]));
  assert.deepEqual(health, { one: "serving", two: "serving", three: "not_serving" });
});

test("the only port is used whatever its name; of several ports, only the one with the configured name", async () => {
  put(endpointSlice("orders-a", 90, [podEndpoint("one", "10.0.0.1")], [{ name: "", port: 7000, protocol: "TCP" }]));
  put(endpointSlice("orders-b", 91, [podEndpoint("two", "10.0.0.2")]));
  const named = await connect({ portName: "metrics" }).getService("orders");
  assert.deepEqual(named.map(({ port }) => port).sort(), [7000, 9090]);
  const unnamed = await connect({ portName: "admin" }).getService("orders");
  assert.deepEqual(
    unnamed.map(({ port }) => port),
    [7000],
  );
});

test("a watch starts at the list's version and reports added, changed and removed pods", async () => {
  put(endpointSlice("orders-a", 90, [podEndpoint("one", "10.0.0.1")]));
  const watch = watching(connect(), "orders");
  await watch.until(hasIds("uid-one"));
  await api.watched();
  const [request] = watchesOf();
  assert.equal(request?.url.searchParams.get("resourceVersion"), "100");
  assert.equal(request?.url.searchParams.get("allowWatchBookmarks"), "true");
  api.send("ADDED", endpointSlice("orders-b", 101, [podEndpoint("two", "10.0.0.2")]));
  await watch.until(hasIds("uid-one", "uid-two"));
  api.send(
    "MODIFIED",
    endpointSlice("orders-a", 102, [podEndpoint("one", "10.0.0.1", { ready: false, terminating: true })]),
  );
  await watch.until(({ instances }) => instances.find(({ id }) => id === "uid-one")?.health === "not_serving");
  api.send("DELETED", endpointSlice("orders-a", 103, []));
  await watch.until(hasIds("uid-two"));
  watch.close();
});

test("a watch that ends continues from its last bookmark, without another list", async () => {
  put(endpointSlice("orders-a", 90, [podEndpoint("one", "10.0.0.1")]));
  const watch = watching(connect(), "orders");
  await watch.until(hasIds("uid-one"));
  for (const [how, version] of [
    ["end", "150"],
    ["cut", "160"],
  ] as const) {
    await api.watched();
    api.send("BOOKMARK", { kind: "EndpointSlice", metadata: { resourceVersion: version } });
    // Sent after the bookmark, to show that the bookmark has arrived.
    api.send("ADDED", endpointSlice(`orders-${how}`, Number(version), [podEndpoint(how, "10.0.0.9")]));
    await watch.until(({ instances }) => idsOf(instances).includes(`uid-${how}`));
    api.endWatches(how);
    await api.watched();
    assert.equal(watchesOf().at(-1)?.url.searchParams.get("resourceVersion"), version);
  }
  assert.equal(listsOf().length, 1);
  assert.deepEqual(idsOf(watch.snapshots.at(-1)?.instances ?? []), ["uid-cut", "uid-end", "uid-one"]);
  watch.close();
});

test("the slices are listed again when the API server no longer has the version", async () => {
  put(endpointSlice("orders-a", 90, [podEndpoint("one", "10.0.0.1")]));
  const watch = watching(connect(), "orders");
  await watch.until(hasIds("uid-one"));
  await api.watched();
  api.slices.clear();
  put(endpointSlice("orders-b", 500, [podEndpoint("two", "10.0.0.2")]));
  api.version = 500;
  api.send("ERROR", {
    kind: "Status",
    status: "Failure",
    message: "too old resource version: 100 (499)",
    reason: "Expired",
    code: 410,
  });
  api.endWatches("end");
  await watch.until(hasIds("uid-two"));
  assert.equal(watch.problems.length, 0);
  await api.watched();
  assert.equal(watchesOf().at(-1)?.url.searchParams.get("resourceVersion"), "500");
  watch.close();
});

test("a failing API server removes no instance", async () => {
  put(endpointSlice("orders-a", 90, [podEndpoint("one", "10.0.0.1")]));
  const watch = watching(connect(), "orders");
  await watch.until(hasIds("uid-one"));
  await api.watched();
  api.status = 500;
  api.endWatches("cut");
  const { error } = await watch.problem();
  assert.match(error.rawMessage, /^kubernetes at http:\/\/127\.0\.0\.1:\d+, namespace shop does not respond: /);
  api.status = 200;
  await watch.until(({ ageMs, added }) => ageMs === 0 && added.length === 0);
  for (const { instances } of watch.snapshots) assert.deepEqual(idsOf(instances), ["uid-one"]);
  watch.close();
});

test("a Service with many slices is read in pages", async () => {
  for (const at of [1, 2, 3, 4, 5])
    put(endpointSlice(`orders-${at}`, 90 + at, [podEndpoint(`p${at}`, `10.0.0.${at}`)]));
  assert.equal((await connect().getService("orders")).length, 5);
  assert.equal(listsOf().length, 3);
});

test("a client without the right to read EndpointSlices uses DNS for headless Services, and logs a warning", async () => {
  const dns = await startScriptedDns();
  dns.zone.set("_grpc._tcp.orders.shop.svc.cluster.local", [
    { type: "SRV", data: "0 100 50051 10-0-0-1.orders.shop.svc.cluster.local" },
  ]);
  dns.zone.set("10-0-0-1.orders.shop.svc.cluster.local", [{ type: "A", data: "10.0.0.1" }]);
  api.status = 403;
  const warnings: string[] = [];
  const warn = (message: string, fields: object = {}): void =>
    void warnings.push(`${message} ${JSON.stringify(fields)}`);
  try {
    const registry = connect({ dnsFallback: { servers: [dns.address], intervalMs: 30 }, log: { ...log, warn } });
    const watch = watching(registry, "orders");
    await watch.until(hasIds("10.0.0.1:50051"));
    dns.zone.set("_grpc._tcp.orders.shop.svc.cluster.local", []);
    await watch.until(hasIds());
    assert.equal(warnings.length, 1);
    assert.match(warnings[0] ?? "", /using DNS.*is forbidden: User/);
    assert.deepEqual(watch.problems, []);
    watch.close();
  } finally {
    await dns.close();
  }
});

test("without the DNS fallback, the error of the API server is reported", async () => {
  api.status = 403;
  const asked = connect({ dnsFallback: false }).getService("orders");
  await assert.rejects(asked, (error) => ConnectError.from(error).code === Code.PermissionDenied);
});

test("outside a pod, the error names the missing option", () => {
  assert.throws(
    () => createKubernetesRegistry(),
    /this is not a pod \(KUBERNETES_SERVICE_HOST is not set\); set the option apiServer/,
  );
  assert.throws(() => createKubernetesRegistry({ apiServer: api.url, accountFolder: "/nowhere" }), /option namespace/);
  assert.throws(
    () => createKubernetesRegistry({ apiserver: "x" } as KubernetesRegistryOptions),
    /did you mean "apiServer"/,
  );
});

describeReadOnlyRegistryContract("Kubernetes", async () => {
  const registry = connect();
  let version = api.version;
  return {
    registry,
    async publish(service, addresses) {
      version++;
      const endpoints = addresses.map((address) => podEndpoint(`${service}-${address}`, address));
      const slice = endpointSlice(`${service}-a`, version, endpoints);
      put(slice);
      if (api.requests.length === 0) return;
      await api.watched();
      api.send("MODIFIED", slice);
    },
    close: () => registry.close(),
  };
});
