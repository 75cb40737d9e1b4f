import assert from "node:assert/strict";
import { afterEach, test } from "node:test";
import { Code, ConnectError, createClient } from "@connectrpc/connect";
import { createDiscoveryResolver, createServiceChannels, type Registry } from "@tercel/discovery";
import { createEmbeddedRegistry, createRegistryService } from "@tercel/discovery/embedded";
import { createStaticRegistry } from "@tercel/discovery/static";
import { createBackoff, createChannel, createServer } from "@tercel/grpc";
import { createHealth } from "@tercel/grpc/services";
import { createFakeClock } from "@tercel/grpc/testing";
import { createAuthority, withoutOpenssl } from "@tercel/test-support/certificates";
import { watching } from "../src/contracts/watching.ts";
import { silentLog as log } from "./support/silent-log.ts";

const open: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of open.splice(0).reverse()) await close();
});

/** A health service that knows only its own name. */
async function startService(name: string, port = 0) {
  const health = createHealth();
  health.setStatus(name, "SERVING");
  const server = createServer({ routes: health.routes });
  const address = await server.listen({ port });
  const close = () => server.close({ deadlineMs: 0 });
  open.push(close);
  return { port: address.port, close };
}

async function hostRegistry(port = 0) {
  const service = createRegistryService({ log });
  const server = createServer({ routes: service.routes });
  const address = await server.listen({ port });
  const close = async () => {
    service.close();
    await server.close({ deadlineMs: 0 });
  };
  open.push(close);
  return { target: `127.0.0.1:${address.port}`, port: address.port, close };
}

function connect(target: string): Registry {
  const registry = createEmbeddedRegistry({
    target,
    log,
    backoff: createBackoff({ initialDelayMs: 20, maxDelayMs: 50 }),
  });
  open.push(() => registry.close());
  return registry;
}

const { service: Health } = createHealth();

/** The status of a call for a service that only another instance has; any other failure fails the test. */
function isUnknownService(error: unknown): false {
  assert.equal(ConnectError.from(error).code, Code.NotFound);
  return false;
}

test("a channel to discovery:///name calls an instance, and another one when it is removed", async () => {
  const { target } = await hostRegistry();
  const registry = connect(target);
  const channel = createChannel("discovery:///orders", { resolvers: [createDiscoveryResolver(registry)] });
  open.push(() => channel.close());
  const client = createClient(Health, channel);
  const one = await startService("one");
  const first = await connect(target).register({ name: "orders", address: "127.0.0.1", port: one.port });
  await client.check({ service: "one" });
  const two = await startService("two");
  await connect(target).register({ name: "orders", address: "127.0.0.1", port: two.port });
  await first.deregister();
  const watch = watching(registry, "orders");
  await watch.until(({ instances }) => instances.length === 1 && instances[0]?.port === two.port);
  watch.close();
  await one.close();
  await client.check({ service: "two" }, { timeoutMs: 5000 });
});

test("calls are spread over all instances, except one that is not serving", async () => {
  const { target } = await hostRegistry();
  const one = await startService("one");
  const two = await startService("two");
  const first = await connect(target).register({ name: "orders", address: "127.0.0.1", port: one.port });
  await connect(target).register({ name: "orders", address: "127.0.0.1", port: two.port });
  const registry = connect(target);
  const serviceConfig = { loadBalancingConfig: [{ round_robin: {} }] };
  const channels = createServiceChannels({ registry, channel: { serviceConfig, defaultTimeoutMs: 5000 } });
  open.push(() => channels.close());
  const client = channels.client(Health, "orders");
  /** How many of ten calls reached the first instance, the only one with the service "one". */
  const answersOfOne = async (): Promise<number> => {
    const calls = Array.from({ length: 10 }, () =>
      client.check({ service: "one" }).then(
        () => 1,
        () => 0,
      ),
    );
    return (await Promise.all(calls)).reduce((sum: number, answer) => sum + answer, 0);
  };
  // Until both are connected, all calls go to the first.
  while ((await answersOfOne()) !== 5);
  first.setHealth("not_serving");
  const watch = watching(registry, "orders");
  await watch.until(({ instances }) => instances.some(({ health }) => health === "not_serving"));
  watch.close();
  assert.equal(await answersOfOne(), 0);
});

test("calls continue while the registry is down, also from a channel that was idle in the meantime", async () => {
  const hosted = await hostRegistry();
  const registry = connect(hosted.target);
  const one = await startService("one");
  await connect(hosted.target).register({ name: "orders", address: "127.0.0.1", port: one.port });
  const options = { resolvers: [createDiscoveryResolver(registry)] };
  const channel = createChannel("discovery:///orders", options);
  await createClient(Health, channel).check({ service: "one" });
  await hosted.close();
  await createClient(Health, channel).check({ service: "one" });
  await channel.close();
  // Without a watcher now, a new channel still finds the instance, as does one that leaves idle mode.
  const another = createChannel("discovery:///orders", options);
  open.push(() => another.close());
  await createClient(Health, another).check({ service: "one" }, { timeoutMs: 10_000 });
});

test("a channel receives changes after a restart of the registry, and no call fails in between", async () => {
  const hosted = await hostRegistry();
  const registry = connect(hosted.target);
  const one = await startService("one");
  const two = await startService("two");
  await connect(hosted.target).register({ name: "orders", address: "127.0.0.1", port: one.port });
  const resolvers = [createDiscoveryResolver(registry)];
  const serviceConfig = { loadBalancingConfig: [{ round_robin: {} }] };
  const channel = createChannel("discovery:///orders", { resolvers, serviceConfig, defaultTimeoutMs: 30_000 });
  open.push(() => channel.close());
  const client = createClient(Health, channel);
  await client.check({});
  const watch = watching(registry, "orders");
  await hosted.close();
  await watch.problem();
  await client.check({});
  const { target } = await hostRegistry(hosted.port);
  await connect(target).register({ name: "orders", address: "127.0.0.1", port: two.port });
  await watch.until(({ instances }) => instances.length === 2);
  watch.close();
  // Until its connection is ready, all calls go to the old one. One call at a time: two would alternate in step.
  while (!(await client.check({ service: "two" }).then(Boolean, isUnknownService)));
  await client.check({});
  assert.equal(channel.explain().resolver.endpoints, 2);
});

test("a channel finds the current instances after idle mode during a restart of the registry and a change of instances", async () => {
  const hosted = await hostRegistry();
  const registry = connect(hosted.target);
  const clock = createFakeClock();
  const one = await startService("one");
  const holder = connect(hosted.target);
  await holder.register({ name: "orders", address: "127.0.0.1", port: one.port });
  const resolvers = [createDiscoveryResolver(registry)];
  const channel = createChannel("discovery:///orders", { resolvers, clock, idleTimeoutMs: 60_000, waitForReady: true });
  open.push(() => channel.close());
  const client = createClient(Health, channel);
  await client.check({ service: "one" });
  await clock.advance(60_000);
  assert.equal(channel.state, "idle");
  await hosted.close();
  await holder.close();
  await one.close();
  const { target } = await hostRegistry(hosted.port);
  const two = await startService("two");
  await connect(target).register({ name: "orders", address: "127.0.0.1", port: two.port });
  assert.equal(channel.state, "idle");
  const { status } = await client.check({ service: "two" });
  assert.equal(status, 1);
  assert.equal(channel.state, "ready");
});

test("calls stay in their zone and version, use another zone while none there responds, and return", async () => {
  const { target } = await hostRegistry();
  const [own, other, old] = [await startService("own"), await startService("other"), await startService("old")];
  const holder = connect(target);
  const register = (id: string, port: number, version: string, zone: string) =>
    holder.register({ name: "orders", id, address: "127.0.0.1", port, version, metadata: { zone } });
  await register("own-1", own.port, "v2.1.0", "a");
  await register("other-1", other.port, "v2.0.0", "b");
  await register("old-1", old.port, "v1.9.0", "a");
  const childPolicy = [{ round_robin: {} }];
  const channels = createServiceChannels({
    registry: connect(target),
    channel: {
      defaultTimeoutMs: 30_000,
      waitForReady: true,
      serviceConfig: { loadBalancingConfig: [{ tercel_attribute_filter: { prefer: { zone: "a" }, childPolicy } }] },
    },
  });
  open.push(() => channels.close());
  const client = channels.client(Health, "orders", "version=v2");
  /** How many of ten calls reached the instance that has this service. */
  const found = async (name: string): Promise<number> => {
    let count = 0;
    for (let call = 0; call < 10; call++) {
      if (await client.check({ service: name }).then(Boolean, isUnknownService)) count++;
    }
    return count;
  };
  assert.equal(await found("own"), 10);
  await own.close();
  assert.equal(await found("other"), 10);
  // A new process starts at the same address.
  await startService("own", own.port);
  await holder.deregister("own-1");
  await register("own-2", own.port, "v2.1.0", "a");
  while ((await found("own")) < 10);
  assert.equal(await found("other"), 0);
  assert.equal(await found("old"), 0);
});

test("a call to a service without an instance fails at once with the reason", async () => {
  const { target } = await hostRegistry();
  const channels = createServiceChannels({ registry: connect(target) });
  open.push(() => channels.close());
  await assert.rejects(channels.client(Health, "absent").check({}), (error) => {
    const { code, rawMessage } = ConnectError.from(error);
    assert.equal(code, Code.Unavailable);
    assert.match(rawMessage, /no instance of absent is registered with the embedded registry at 127\.0\.0\.1/);
    return true;
  });
});

test("all parts of a process share one channel to a service", async () => {
  const one = await startService("one");
  const registry = createStaticRegistry({ services: { orders: [{ address: "127.0.0.1", port: one.port }] } });
  const channels = createServiceChannels({ registry, channel: { defaultTimeoutMs: 5000 } });
  assert.equal(channels.channel("orders"), channels.channel("orders"));
  assert.notEqual(channels.channel("orders"), channels.channel("orders", "version=v2"));
  await channels.client(Health, "orders").check({ service: "one" });
  await assert.rejects(channels.client(Health, "orders", "version=v2").check({}), /none of the 1 instances/);
  await channels.close();
  assert.throws(() => channels.channel("orders"), /closed/);
});

test("calls move when a static list is updated", async () => {
  const one = await startService("one");
  const two = await startService("two");
  const at = (port: number) => ({ orders: [{ address: "127.0.0.1", port }] });
  const registry = createStaticRegistry({ services: at(one.port) });
  const channels = createServiceChannels({ registry });
  open.push(() => channels.close());
  const client = channels.client(Health, "orders");
  await client.check({ service: "one" });
  const watch = watching(registry, "orders");
  registry.update(at(two.port));
  await watch.until(({ instances }) => instances[0]?.port === two.port);
  watch.close();
  await client.check({ service: "two" });
  await assert.rejects(registry.register({ name: "orders", address: "a", port: 1 }), /does not support registration/);
});

test("with TLS the certificate must be valid for the service's name, or for the authority in the metadata", {
  skip: withoutOpenssl,
}, async () => {
  const authority = createAuthority();
  const tls = { ca: authority.cert };
  const health = createHealth();
  const listen = async (name: string): Promise<number> => {
    const server = createServer({ routes: health.routes, tls: authority.issue({ names: [`DNS:${name}`] }), log });
    open.push(() => server.close({ deadlineMs: 0 }));
    return (await server.listen({ port: 0 })).port;
  };
  const [orders, users] = [await listen("orders"), await listen("users.eu.internal")];
  authority.dispose();
  const registry = createStaticRegistry({
    services: {
      orders: [{ address: "127.0.0.1", port: orders }],
      users: [{ address: "127.0.0.1", port: users, metadata: { authority: "users.eu.internal:443" } }],
      payments: [{ address: "127.0.0.1", port: orders }],
    },
  });
  const channels = createServiceChannels({ registry, channel: { tls, defaultTimeoutMs: 10_000, log } });
  open.push(() => channels.close());
  await channels.client(Health, "orders").check({});
  await channels.client(Health, "users").check({});
  const refused = channels.client(Health, "payments").check({});
  await assert.rejects(refused, /certificate is not for payments, but for DNS:orders; .* authority/);
});
