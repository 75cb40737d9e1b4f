import assert from "node:assert/strict";
import { test } from "node:test";
import { Code, ConnectError } from "@connectrpc/connect";
import type { Balancer, BalancerFactory, BalancerHost } from "./balancer/index.ts";
import { createQueuePicker } from "./balancer/pickers.ts";
import { BalancerSwitch } from "./balancer-switch.ts";
import type { ConnectivityState } from "./connectivity.ts";
import { FakeClock } from "./testing/fake-clock.ts";

/** A policy whose balancers the test speaks for. */
function scriptPolicy(policyName: string) {
  const made: { host: BalancerHost; heard: string[] }[] = [];
  const factory: BalancerFactory = {
    policyName,
    create(host): Balancer {
      const heard: string[] = [];
      made.push({ host, heard });
      return {
        update({ config }) {
          heard.push(`update ${JSON.stringify(config)}`);
          return true;
        },
        onResolverError: () => heard.push("error"),
        exitIdle: () => heard.push("exitIdle"),
        close: () => heard.push("close"),
      };
    },
  };
  const report = (state: ConnectivityState, index = 0): void =>
    made[index]?.host.updateState(
      state,
      createQueuePicker(() => `${policyName} ${state}`),
    );
  return { factory, made, report };
}

function setUp() {
  const told: string[] = [];
  const balancers = new BalancerSwitch({
    targetText: "x",
    clock: new FakeClock(),
    createSubchannel: () => assert.fail("no subchannel is to be made"),
    updateState: (state, picker) => told.push(`${state}: ${picker.describe()}`),
    requestResolution() {},
  });
  return { balancers, told, a: scriptPolicy("a"), b: scriptPolicy("b"), c: scriptPolicy("c") };
}

const update = (config: unknown) => ({ endpoints: [], config });

test("hands updates of one policy to one balancer", () => {
  const { balancers, told, a } = setUp();
  balancers.update(a.factory, update(1));
  balancers.update(a.factory, update(2));
  a.report("ready");
  assert.deepEqual(a.made[0]?.heard, ["update 1", "update 2"]);
  assert.equal(a.made.length, 1);
  assert.deepEqual(told, ["ready: a ready"]);
});

test("keeps a ready balancer in office until the new one has something to offer", () => {
  const { balancers, told, a, b } = setUp();
  balancers.update(a.factory, update(1));
  a.report("ready");
  balancers.update(b.factory, update(2));
  assert.equal(balancers.policyName, "b");
  b.report("connecting");
  a.report("ready");
  assert.deepEqual(told, ["ready: a ready", "ready: a ready"]);
  b.report("ready");
  assert.equal(told.at(-1), "ready: b ready");
  assert.deepEqual(a.made[0]?.heard, ["update 1", "close"]);
  a.report("idle");
  assert.equal(told.length, 3);
});

test("lets a new balancer take over that cannot connect either, and at once when the old one is not ready", () => {
  const failing = setUp();
  failing.balancers.update(failing.a.factory, update(1));
  failing.a.report("ready");
  failing.balancers.update(failing.b.factory, update(2));
  failing.b.report("transient_failure");
  assert.equal(failing.told.at(-1), "transient_failure: b transient_failure");

  const lost = setUp();
  lost.balancers.update(lost.a.factory, update(1));
  lost.a.report("ready");
  lost.balancers.update(lost.b.factory, update(2));
  lost.b.report("connecting");
  lost.a.report("idle");
  assert.equal(lost.told.at(-1), "connecting: b connecting");
  assert.deepEqual(lost.a.made[0]?.heard, ["update 1", "close"]);
});

test("drops a new balancer that is replaced before it took over", () => {
  const { balancers, told, a, b, c } = setUp();
  balancers.update(a.factory, update(1));
  a.report("ready");
  balancers.update(b.factory, update(2));
  balancers.update(c.factory, update(3));
  assert.deepEqual(b.made[0]?.heard, ["update 2", "close"]);
  b.report("ready");
  assert.equal(told.length, 1);
  c.report("ready");
  assert.equal(told.at(-1), "ready: c ready");
});

test("tells of errors, of the wish to connect and of the end whom it concerns", () => {
  const { balancers, a, b } = setUp();
  balancers.exitIdle();
  balancers.onResolverError(a.factory, new ConnectError("no", Code.Unavailable));
  a.report("ready");
  balancers.update(b.factory, update(2));
  balancers.onResolverError(b.factory, new ConnectError("no", Code.Unavailable));
  balancers.exitIdle();
  balancers.close();
  assert.deepEqual(a.made[0]?.heard, ["error", "close"]);
  assert.deepEqual(b.made[0]?.heard, ["update 2", "error", "exitIdle", "close"]);
});
