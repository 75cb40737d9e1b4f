import assert from "node:assert/strict";
import { test } from "node:test";
import type { JsonObject } from "@bufbuild/protobuf";
import { Code } from "@connectrpc/connect";
import { endpointOf, endpointsOf, ScriptedHealth, setUpPolicy } from "../testing/policy-host.ts";
import { createPolicies, findPolicy } from "./policies.ts";

const { all } = createPolicies([], { random: () => 0 });
const factory = findPolicy(all, "outlier_detection") ?? assert.fail("there is no outlier_detection");
const failurePercentageEjection = { threshold: 50, minimumHosts: 1, requestVolume: 5 };
const childPolicy = [{ round_robin: {} }];

function configOf(json: JsonObject = {}) {
  return factory.parseConfig?.({ failurePercentageEjection, maxEjectionPercent: 50, childPolicy, ...json });
}

async function setUp(json: JsonObject = {}, health?: ScriptedHealth) {
  const setup = setUpPolicy(factory, health === undefined ? {} : { health });
  setup.balancer.update({ ...endpointsOf("a:1", "b:2", "c:3"), config: configOf(json) });
  await setup.connectAll();
  /** Calls on all endpoints, of which those to one fail. */
  const call = (count: number, failing?: string): void => {
    for (let i = 0; i < count; i += 1) {
      const { address, tracker } = setup.startCall();
      tracker?.onEnd({ code: address === failing ? Code.Internal : undefined, trailer: () => null });
    }
  };
  return { ...setup, call };
}

test("sends no calls to an endpoint that fails too many of them, for as long as it is ejected, and stays connected", async () => {
  const { clock, call, sequence, addresses, states } = await setUp();
  call(30, "b:2");
  await clock.advance(9999);
  assert.equal(sequence(3), "a:1 b:2 c:3");
  await clock.advance(1);
  assert.equal(sequence(4), "a:1 c:3 a:1 c:3");
  await clock.advance(29_999);
  assert.equal(sequence(2), "a:1 c:3");
  await clock.advance(1);
  assert.equal(sequence(3), "a:1 b:2 c:3");
  assert.equal(addresses(), "a:1 b:2 c:3");
  assert.deepEqual(states, ["connecting", "ready"]);
});

test("ejects for longer the next time", async () => {
  const { clock, call, sequence } = await setUp();
  call(30, "b:2");
  await clock.advance(10_000);
  call(30, "b:2");
  await clock.advance(20_000);
  await clock.advance(10_000);
  assert.equal(sequence(3), "a:1 b:2 c:3");
  call(30, "b:2");
  await clock.advance(10_000);
  await clock.advance(59_999);
  assert.equal(sequence(2), "a:1 c:3");
  await clock.advance(1);
  assert.equal(sequence(3), "a:1 b:2 c:3");
});

test("fails with the reason when nothing but ejected endpoints is left", async () => {
  const { clock, balancer, call, failure } = await setUp({ maxEjectionPercent: 100 });
  balancer.update({ ...endpointsOf("a:1"), config: configOf({ maxEjectionPercent: 100 }) });
  call(10, "a:1");
  await clock.advance(10_000);
  assert.equal(
    failure().rawMessage,
    'no connection to "dns:///x": a:1: ejected, because it failed more calls than the others',
  );
});

test("counts together what goes to the addresses of one endpoint, and ejects it at each of them", async () => {
  const { clock, balancer, attempt, startCall, sequence, connectAll } = setUpPolicy(factory);
  balancer.update({ endpoints: [endpointOf("a:1+b:2"), endpointOf("c:3")], config: configOf() });
  const connections = await connectAll();
  const fail = (count: number): void => {
    for (let i = 0; i < count; ) {
      const { address, tracker } = startCall();
      tracker?.onEnd({ code: address === "c:3" ? undefined : Code.Unavailable, trailer: () => null });
      if (address !== "c:3") i += 1;
    }
  };
  fail(3);
  connections.get("a:1")?.lose(undefined);
  await attempt("a:1").fail("refused");
  await attempt("b:2").succeed();
  fail(2);
  await clock.advance(10_000);
  assert.equal(sequence(2), "c:3 c:3");
});

test("an endpoint that reconnects while it is ejected stays ejected", async () => {
  const setup = setUpPolicy(factory);
  setup.balancer.update({ ...endpointsOf("a:1", "b:2"), config: configOf() });
  const connections = await setup.connectAll();
  for (let i = 0; i < 20; i += 1) {
    const { address, tracker } = setup.startCall();
    tracker?.onEnd({ code: address === "b:2" ? Code.Internal : undefined, trailer: () => null });
  }
  await setup.clock.advance(10_000);
  connections.get("b:2")?.lose(undefined);
  await setup.attempt("b:2").succeed();
  assert.equal(setup.sequence(2), "a:1 a:1");
});

test("adds to what others know of an endpoint's health", async () => {
  const health = new ScriptedHealth();
  const { clock, call, sequence } = await setUp({}, health);
  for (const address of ["a:1", "b:2", "c:3"]) health.report(address, "ready");
  call(30, "b:2");
  await clock.advance(10_000);
  health.report("b:2", "transient_failure", "it says NOT_SERVING");
  health.report("b:2", "ready");
  assert.equal(sequence(2), "a:1 c:3");
  health.report("b:2", "transient_failure", "it says NOT_SERVING");
  await clock.advance(30_000);
  assert.equal(sequence(2), "a:1 c:3");
  health.report("b:2", "ready");
  assert.equal(sequence(3), "a:1 b:2 c:3");
});

test("does nothing, and counts nothing, without a kind of ejection; takes all back when both are taken away", async () => {
  const { clock, balancer, call, sequence, startCall } = await setUp();
  call(30, "b:2");
  await clock.advance(10_000);
  assert.equal(sequence(2), "a:1 c:3");
  balancer.update({
    ...endpointsOf("a:1", "b:2", "c:3"),
    config: factory.parseConfig?.({ childPolicy }),
  });
  assert.equal(sequence(3), "a:1 b:2 c:3");
  assert.equal(startCall().tracker, undefined);
  assert.equal(clock.pendingTimers, 0);
});

test("begins to count under a child that has nothing new to report", async () => {
  const { balancer, attempt, startCall } = setUpPolicy(factory);
  const child = [{ pick_first: {} }];
  balancer.update({ ...endpointsOf("a:1"), config: factory.parseConfig?.({ childPolicy: child }) });
  await attempt(0).succeed();
  assert.equal(startCall().tracker, undefined);
  balancer.update({ ...endpointsOf("a:1"), config: configOf({ childPolicy: child }) });
  assert.notEqual(startCall().tracker, undefined);
  balancer.close();
});

test("a new config shortens or lengthens the interval that is under way", async () => {
  const { clock, balancer, call, sequence } = await setUp();
  call(30, "b:2");
  await clock.advance(4000);
  balancer.update({ ...endpointsOf("a:1", "b:2", "c:3"), config: configOf({ interval: "5s" }) });
  await clock.advance(999);
  assert.equal(sequence(3), "a:1 b:2 c:3");
  await clock.advance(1);
  assert.equal(sequence(2), "a:1 c:3");
});

test("tells the child's own trackers too, and makes one result for each endpoint", async () => {
  const { clock, call, pick, sequence } = await setUp({ childPolicy: [{ least_request: {} }] });
  assert.equal(pick(), pick());
  call(10, "a:1");
  assert.equal(sequence(1), "a:1");
  await clock.advance(10_000);
  assert.notEqual(sequence(1), "a:1");
});

test("reads the defaults of gRFC A50 and refuses what they cannot be", () => {
  const json = { successRateEjection: {}, failurePercentageEjection: {}, childPolicy };
  const { child, ...read } = (factory.parseConfig?.(json) ?? {}) as Record<string, unknown>;
  assert.ok(child);
  assert.deepEqual(read, {
    intervalMs: 10_000,
    baseEjectionTimeMs: 30_000,
    maxEjectionTimeMs: 300_000,
    maxEjectionPercent: 10,
    successRate: { stdevFactor: 1900, enforcementPercentage: 100, minimumHosts: 5, requestVolume: 100 },
    failurePercentage: { threshold: 85, enforcementPercentage: 100, minimumHosts: 5, requestVolume: 50 },
    consecutiveDeadlines: undefined,
  });
  for (const wrong of [
    { interval: "-1s" },
    { maxEjectionPercent: 101 },
    { failurePercentageEjection: { threshold: 101 } },
    { consecutiveDeadlineEjection: { threshold: 0 } },
    { successRateEjection: { enforcementPercentage: 101 } },
    { successRateEjection: 5 },
  ]) {
    assert.throws(() => configOf(wrong as JsonObject), /^TypeError: outlier_detection/);
  }
});

test("leaves nothing behind when closed", async () => {
  const { clock, balancer, made, call } = await setUp();
  call(3);
  balancer.close();
  assert.ok(made.every(({ state }) => state === "shutdown"));
  assert.equal(clock.pendingTimers, 0);
});
