import assert from "node:assert/strict";
import { test } from "node:test";
import { Code, ConnectError } from "@connectrpc/connect";
import { endpointsOf, setUpPolicy } from "../testing/policy-host.ts";
import { GracefulSwitch } from "./graceful-switch.ts";
import type { Balancer, BalancerFactory, BalancerUpdate } from "./index.ts";
import { pickFirst } from "./pick-first.ts";
import { createQueuePicker } from "./pickers.ts";
import type { PolicyChoice } from "./policy-choice.ts";
import { createRoundRobin } from "./round-robin.ts";

const roundRobin = createRoundRobin({ random: () => 0 });

/** A switch behind the contract of a policy, whose config is the choice. */
const switching: BalancerFactory = {
  policyName: "switching",
  create: (host): Balancer => {
    const held = new GracefulSwitch(host);
    return {
      update: ({ endpoints, config }) => held.update(config as PolicyChoice, { endpoints }),
      onResolverError: (error) => held.onResolverError(error),
      exitIdle: () => held.exitIdle(),
      close: () => held.close(),
    };
  },
};

function choosing(factory: BalancerFactory, ...names: string[]): BalancerUpdate {
  return { ...endpointsOf(...names), config: { factory } };
}

test("updates the policy it holds as long as the name stays", async () => {
  const { balancer, addresses, connectAll, made } = setUpPolicy(switching);
  balancer.update(choosing(roundRobin, "a:1"));
  await connectAll();
  balancer.update(choosing(createRoundRobin(), "a:1", "b:2"));
  assert.equal(addresses(), "a:1 b:2");
  assert.equal(made.length, 2);
});

test("lets the old policy go on until the new one is ready", async () => {
  const { balancer, states, attempt, pickedAddress, made } = setUpPolicy(switching);
  balancer.update(choosing(pickFirst, "a:1"));
  await attempt(0).succeed();
  balancer.update(choosing(roundRobin, "b:2"));
  assert.equal(pickedAddress(), "a:1");
  await attempt("b:2").succeed();
  assert.equal(pickedAddress(), "b:2");
  assert.equal(made[0]?.state, "shutdown");
  assert.deepEqual(states, ["connecting", "ready"]);
});

test("changes over at once when the old policy has nothing to offer", async () => {
  const { balancer, states, attempt, addresses, made } = setUpPolicy(switching);
  balancer.update(choosing(pickFirst, "a:1"));
  await attempt(0).fail("refused");
  balancer.update(choosing(roundRobin, "b:2"));
  assert.deepEqual(states, ["connecting", "transient_failure", "connecting"]);
  assert.equal(made[0]?.state, "shutdown");
  assert.equal(addresses(), "a:1 b:2");
});

test("changes over when the old policy loses its connection meanwhile", async () => {
  const { balancer, states, attempt, made, clock } = setUpPolicy(switching);
  balancer.update(choosing(pickFirst, "a:1"));
  const old = await attempt(0).succeed();
  balancer.update(choosing(roundRobin, "b:2"));
  old.lose(undefined);
  assert.deepEqual(states, ["connecting", "ready", "connecting"]);
  await attempt("b:2").succeed();
  assert.equal(states.at(-1), "ready");
  assert.equal(made.filter(({ state }) => state !== "shutdown").length, 1);
  assert.equal(clock.pendingTimers, 0);
});

test("changes over when the new policy fails, for it is the one that is wanted", async () => {
  const { balancer, states, attempt } = setUpPolicy(switching);
  balancer.update(choosing(pickFirst, "a:1"));
  await attempt(0).succeed();
  balancer.update(choosing(roundRobin, "b:2"));
  await attempt("b:2").fail("refused");
  assert.deepEqual(states, ["connecting", "ready", "transient_failure"]);
});

test("gives up a policy that never took over when a third is wanted", async () => {
  const { balancer, attempt, pickedAddress, made } = setUpPolicy(switching);
  balancer.update(choosing(pickFirst, "a:1"));
  await attempt(0).succeed();
  balancer.update(choosing(roundRobin, "b:2"));
  balancer.update(choosing({ ...roundRobin, policyName: "third" }, "c:3"));
  assert.equal(made[1]?.state, "shutdown");
  await attempt("c:3").succeed();
  assert.equal(pickedAddress(), "c:3");
});

test("passes on what a policy reports as it is made, and nothing once it is closed", () => {
  const hosts: Parameters<BalancerFactory["create"]>[0][] = [];
  const hasty: BalancerFactory = {
    policyName: "hasty",
    create: (host) => {
      hosts.push(host);
      host.updateState(
        "idle",
        createQueuePicker(() => "hasty"),
      );
      return { update: () => true, onResolverError() {}, exitIdle() {}, close() {} };
    },
  };
  const { balancer, states, counts, currentPicker } = setUpPolicy(switching);
  balancer.update(choosing(hasty, "a:1"));
  assert.deepEqual(states, ["idle"]);
  assert.equal(currentPicker().describe(), "hasty");
  balancer.close();
  hosts[0]?.requestResolution();
  hosts[0]?.updateState(
    "connecting",
    createQueuePicker(() => "late"),
  );
  assert.deepEqual(states, ["idle"]);
  assert.equal(counts.resolutions, 0);
});

test("fails with the resolver's reason while it holds no policy", () => {
  const { balancer, failure } = setUpPolicy(switching);
  balancer.onResolverError(new ConnectError("cannot resolve", Code.Unavailable));
  assert.equal(failure().rawMessage, "cannot resolve");
});
