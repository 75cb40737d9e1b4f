import assert from "node:assert/strict";
import { test } from "node:test";
import { createClient } from "@tercel/grpc";
import { createFakeClock, createInMemoryTransport } from "@tercel/grpc/testing";
import { loadServiceConfig } from "../../config/index.ts";
import { EventHub } from "../../gen/tercel/events/v1/event_hub_pb.ts";
import { dependencyChannelOptions } from "../dependencies/dependency-channel.ts";
import { dependencyOf } from "../dependencies/find-services.ts";
import { runConfigOf } from "../run-config/run-config-of.ts";

async function configWith(keepalive: object, more: object = {}) {
  const values = { communication: { providers: { grpc: { keepalive } } }, ...more };
  return runConfigOf(await loadServiceConfig({ file: false, overlays: false, variables: {}, values }), false);
}

const parts = { registry: undefined, interceptors: [], log: console, clock: createFakeClock() };

test("a client that pings every 10 s without calls lives with the server of the same file", async (t) => {
  const { grpc } = await configWith({ time: "10s", timeout: "3s", permit_without_stream: true });
  const { clientKeepalive, server } = grpc;
  assert.deepEqual(clientKeepalive, { timeMs: 10_000, timeoutMs: 3000, permitWithoutCalls: true });
  // Less than the pause between two pings, because the network may bring the second one sooner.
  assert.ok((server.keepaliveEnforcement?.minTimeMs ?? 10_000) < 10_000);
  const clock = createFakeClock();
  const logged: string[] = [];
  const note = (message: string): void => void logged.push(message);
  const transport = createInMemoryTransport({
    routes: (router) => void router.service(EventHub, { append: () => ({}) }),
    serverOptions: {
      clock,
      ...(server.keepalive !== undefined && { keepalive: server.keepalive }),
      ...(server.keepaliveEnforcement !== undefined && { keepaliveEnforcement: server.keepaliveEnforcement }),
    },
    channelOptions: {
      clock,
      log: { debug: note, info: note, warn: note, error: note },
      ...(clientKeepalive !== undefined && { keepalive: clientKeepalive }),
    },
  });
  t.after(() => transport.close());
  await createClient(EventHub, transport).append({});
  for (let second = 0; second < 600; second++) {
    await clock.advance(1000);
    for (let turn = 0; turn < 4; turn++) await new Promise((resolve) => setImmediate(resolve));
  }
  assert.equal(transport.state, "ready");
  assert.equal(transport.server.openConnections, 1);
  assert.deepEqual(logged, []);
});

test("clients ping as the block says, every 10 s at most, and as a dependency's own entry says", async () => {
  const config = await configWith(
    { time: "5s", timeout: "1s", min_time: "4s" },
    { dependencies: [{ name: "orders" }, { name: "users", keepalive: { time: "1m" } }] },
  );
  const keepaliveTo = (name: string) => {
    const { clientKeepalive: keepalive } = config.grpc;
    return dependencyChannelOptions(dependencyOf(config, name), { ...parts, keepalive }).keepalive;
  };
  assert.deepEqual(keepaliveTo("orders"), { timeMs: 10_000, timeoutMs: 1000, permitWithoutCalls: false });
  assert.deepEqual(keepaliveTo("users"), { timeMs: 60_000, timeoutMs: 20_000, permitWithoutCalls: false });
});

test("a minimum that the service's own clients would break is refused", async () => {
  await assert.rejects(
    configWith({ time: "30s", min_time: "1m" }),
    /keepalive\.min_time.*clients of this service ping every 30 s, more often than it allows; lower min_time, or raise time/,
  );
  await assert.rejects(
    configWith({}, { communication: { providers: { grpc: { timeout: "10s", max_timeout: "5s" } } } }),
    /grpc\.timeout.*must not exceed max_timeout, 5 s/,
  );
});
