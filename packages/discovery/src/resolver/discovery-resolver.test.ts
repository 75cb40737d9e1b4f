import assert from "node:assert/strict";
import { test } from "node:test";
import { Code, ConnectError } from "@connectrpc/connect";
import type { Endpoint, ParsedTarget } from "@tercel/grpc/naming";
import { createFakeClock } from "@tercel/grpc/testing";
import { createInstance, type Registration } from "../port/instance.ts";
import type { Registry } from "../port/registry.ts";
import { WatchHub } from "../port/watch-hub.ts";
import type { WatchSink } from "../port/watched-service.ts";
import { createDiscoveryResolver, type DiscoveryResolverOptions } from "./discovery-resolver.ts";

function resolve(query = "", options: DiscoveryResolverOptions = {}) {
  const clock = createFakeClock();
  let sink: WatchSink | undefined;
  let isFollowed = false;
  const hub = new WatchHub(clock, (_, given) => {
    sink = given;
    isFollowed = true;
    return () => {
      isFollowed = false;
    };
  });
  const registry = { description: "the registry", watch: hub.watch.bind(hub) } as unknown as Registry;
  const results: (readonly Endpoint[])[] = [];
  const errors: ConnectError[] = [];
  const text = `discovery:///orders${query === "" ? "" : `?${query}`}`;
  const target: ParsedTarget = {
    text,
    uri: text,
    scheme: "discovery",
    resolverAuthority: "",
    endpoint: "orders",
    query,
    addresses: [],
    authority: "orders",
  };
  const resolver = createDiscoveryResolver(registry, options).create(
    target,
    { onResult: ({ endpoints }) => results.push(endpoints) > 0, onError: (error) => errors.push(error) },
    { clock, backoff: () => 1000 },
  );
  const ports = () => results.at(-1)?.map(({ addresses: [address] }) => address && "port" in address && address.port);
  return { clock, resolver, results, errors, ports, sink: sink as unknown as WatchSink, isFollowed: () => isFollowed };
}

const instance = (port: number, more: Partial<Registration> = {}) =>
  createInstance({ id: `i${port}`, name: "orders", address: "10.0.0.1", port, ...more });

test("reports each instance as an endpoint with the attributes for balancers", () => {
  const { sink, results } = resolve();
  sink.replace([instance(1, { version: "v1.4.0", metadata: { zone: "eu-1", weight: "30" } }), instance(2)]);
  const [endpoint, plain] = results[0] ?? [];
  assert.deepEqual(endpoint?.addresses, [{ host: "10.0.0.1", port: 1 }]);
  assert.deepEqual(Object.fromEntries(endpoint?.attributes ?? []), {
    instanceId: "i1",
    version: "v1.4.0",
    zone: "eu-1",
    weight: 30,
    metadata: new Map([
      ["zone", "eu-1"],
      ["weight", "30"],
    ]),
  });
  assert.deepEqual([...(plain?.attributes?.keys() ?? [])], ["instanceId", "metadata"]);
});

test("reports the authority in an instance's metadata with its address, and ignores an invalid one", () => {
  const { sink, results } = resolve();
  sink.replace([
    instance(1, { metadata: { authority: "orders.eu.internal:443" } }),
    instance(2, { metadata: { authority: "orders\r\nx: y" } }),
  ]);
  assert.deepEqual(
    results[0]?.map(({ addresses: [address] }) => address?.authority),
    ["orders.eu.internal:443", undefined],
  );
});

test("reports an address once, with the newest instance, while the lease of the old one has not expired", async () => {
  const { clock, sink, results } = resolve();
  const idsAtPorts = () =>
    results
      .at(-1)
      ?.map(({ addresses: [at], attributes }) => [at && "port" in at && at.port, attributes?.get("instanceId")]);
  sink.replace([instance(1, { id: "old" }), instance(2)]);
  sink.change([instance(1, { id: "new" })], []);
  await clock.advance(20);
  assert.deepEqual(idsAtPorts(), [
    [1, "new"],
    [2, "i2"],
  ]);
});

test("leaves out instances that are not serving, do not match the target, or do not pass the filter", () => {
  const { sink, ports } = resolve("version=v2", { filter: ({ port }) => port !== 4 });
  sink.replace([
    instance(1, { version: "v1.0" }),
    instance(2, { version: "v2.0" }),
    instance(3, { version: "v2.1", health: "not_serving" }),
    instance(4, { version: "v2.0" }),
    instance(5, { version: "v2.0", health: "unknown" }),
  ]);
  assert.deepEqual(ports(), [2, 5]);
});

test("explains why no instance is left: none registered, none matching, or none healthy", async () => {
  const { clock, sink, errors, results } = resolve("version=v2");
  sink.replace([]);
  assert.match(errors[0]?.rawMessage ?? "", /no instance of orders is registered with the registry/);
  await clock.advance(20);
  sink.change([instance(1), instance(2)], []);
  assert.match(errors[1]?.rawMessage ?? "", /none of the 2 instances that the registry has matches/);
  await clock.advance(20);
  sink.change([instance(3, { version: "v2", health: "not_serving" })], []);
  assert.match(errors[2]?.rawMessage ?? "", /all 1 instances that the registry has are unhealthy/);
  assert.ok(errors.every(({ code }) => code === Code.Unavailable));
  assert.deepEqual(results, []);
  await clock.advance(20);
  sink.change([instance(3, { version: "v2" })], []);
  await clock.advance(20);
  sink.replace([]);
  assert.deepEqual(
    results.map(({ length }) => length),
    [1, 0],
  );
  assert.equal(errors.length, 4);
});

test("keeps the endpoints while the registry is down, and reports their age", async () => {
  const { clock, sink, errors, results, ports } = resolve();
  sink.replace([instance(1)]);
  await clock.advance(3000);
  sink.fail(new ConnectError("the registry does not respond: gone", Code.Unavailable), 1000);
  assert.deepEqual(ports(), [1]);
  assert.equal(results.length, 1);
  assert.equal(
    errors[0]?.rawMessage,
    'cannot resolve "discovery:///orders": the registry does not respond: gone; last response 3.0 s ago',
  );
});

test("reports that a registry was never reached", () => {
  const { sink, errors } = resolve();
  sink.fail(new ConnectError("gone", Code.Unavailable), 1000);
  assert.match(errors[0]?.rawMessage ?? "", /gone; it was never reached/);
});

test("ends the watch on close, and reports nothing after it", () => {
  const { sink, resolver, results, isFollowed } = resolve();
  resolver.close();
  sink.replace([instance(1)]);
  assert.equal(isFollowed(), false);
  assert.deepEqual(results, []);
});

test("rejects a target with an invalid query or name", () => {
  assert.throws(() => resolve("verison=v2"), /did you mean "version"/);
});
