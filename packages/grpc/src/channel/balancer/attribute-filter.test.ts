import assert from "node:assert/strict";
import { test } from "node:test";
import type { JsonObject } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import { endpointOf, setUpPolicy } from "../testing/policy-host.ts";
import { createAttributeFilter } from "./attribute-filter.ts";
import { createPolicies } from "./policies.ts";

const { choose } = createPolicies([], { random: () => 0 });
const factory = createAttributeFilter(choose);
const childPolicy = [{ round_robin: {} }];

const endpoints = [
  endpointOf("a:1", { version: "v1", zone: "east" }),
  endpointOf("b:2", { version: "v2", zone: "east" }),
  endpointOf("c:3", { version: "v2", zone: "west", metadata: new Map([["tier", "gold"]]) }),
  endpointOf("d:4"),
];

function setUp(json: JsonObject) {
  const setup = setUpPolicy(factory);
  const config = factory.parseConfig?.({ childPolicy, ...json });
  const update = (list = endpoints) => setup.balancer.update({ endpoints: list, config });
  return { ...setup, update };
}

test("uses only endpoints that have what is required, in one of the values", () => {
  for (const [require, expected] of [
    [{ version: "v2" }, "b:2 c:3"],
    [{ version: ["v1", "v2"] }, "a:1 b:2 c:3"],
    [{ version: "v2", zone: "west" }, "c:3"],
    [{ tier: "gold" }, "c:3"],
    [{}, "a:1 b:2 c:3 d:4"],
  ] as const) {
    const { update, addresses } = setUp({ require: require as unknown as JsonObject });
    assert.ok(update());
    assert.equal(addresses(), expected);
  }
});

test("says what is required when no endpoint has it, and recovers when one comes", async () => {
  const { update, states, failure, connectAll, pickedAddress, made } = setUp({
    require: { version: ["v3", "v4"], zone: "east" },
  });
  assert.equal(update(), false);
  assert.equal(
    failure().rawMessage,
    'no connection to "dns:///x": none of 4 endpoints has version "v3" or "v4" and zone "east"',
  );
  update([endpointOf("e:5", { version: "v4", zone: "east" })]);
  await connectAll();
  assert.equal(pickedAddress(), "e:5");
  assert.equal(update(), false);
  assert.ok(made.every(({ state }) => state === "shutdown"));
  assert.deepEqual(states, ["transient_failure", "connecting", "ready", "transient_failure"]);
});

test("sends calls to preferred endpoints, to the others while none of these can be reached, and back", async () => {
  const { update, clock, states, attempt, addresses, sequence, made } = setUp({ prefer: { zone: "west" } });
  update();
  assert.equal(addresses(), "c:3");
  const west = await attempt("c:3").succeed();
  assert.equal(sequence(2), "c:3 c:3");
  west.lose(undefined);
  assert.equal(addresses(), "c:3 c:3", "the others wait until it has failed");
  await attempt("c:3").fail("refused");
  assert.equal(addresses(), "c:3 c:3 a:1 b:2 d:4");
  await attempt("a:1").succeed();
  await attempt("b:2").succeed();
  assert.equal(sequence(2), "a:1 b:2");
  await clock.advance(1000);
  await attempt("c:3").succeed();
  assert.equal(sequence(2), "c:3 c:3");
  assert.equal(made.filter(({ state }) => state === "ready").length, 1);
  assert.deepEqual(states, ["connecting", "ready", "connecting", "ready"]);
});

test("takes all for as good where none is preferred", () => {
  const { update, addresses } = setUp({ prefer: { zone: "north" } });
  update();
  assert.equal(addresses(), "a:1 b:2 c:3 d:4");
});

test("follows updates while the others stand in", async () => {
  const { update, attempt, addresses, sequence, made } = setUp({ prefer: { zone: "west" } });
  update();
  await attempt("c:3").fail("refused");
  await attempt("a:1").succeed();
  update([...endpoints.slice(1), endpointOf("e:5", { zone: "east" })]);
  assert.equal(addresses(), "c:3 a:1 b:2 d:4 e:5");
  assert.equal(made.find(({ address }) => "host" in address && address.host === "a")?.state, "shutdown");
  await attempt("e:5").succeed();
  assert.equal(sequence(2), "e:5 e:5");
  update([endpointOf("f:6", { zone: "west" })]);
  await attempt("f:6").succeed();
  assert.equal(sequence(1), "f:6");
  assert.equal(made.filter(({ state }) => state !== "shutdown").length, 1);
});

test("fails when both do", async () => {
  const { update, attempt, states, failure } = setUp({ prefer: { zone: "west" } });
  update(endpoints.slice(1, 3));
  await attempt("c:3").fail("refused");
  await attempt("b:2").fail("refused");
  assert.equal(states.at(-1), "transient_failure");
  assert.match(failure().rawMessage, /b:2: refused/);
});

test("fails with the resolver's reason, without a config, and for want of endpoints", () => {
  const { balancer, update, failure } = setUp({});
  balancer.onResolverError(new ConnectError("cannot resolve", Code.Unavailable));
  assert.equal(failure().rawMessage, "cannot resolve");
  balancer.update({ endpoints });
  assert.match(failure().rawMessage, /tercel_attribute_filter needs a config/);
  assert.equal(update([]), false);
  assert.match(failure().rawMessage, /the name resolves to no address$/);
});

test("refuses a config that is not made of attribute names and texts", () => {
  for (const json of [
    { require: "v2" },
    { require: { version: 2 } },
    { prefer: { zone: [] } },
    { prefer: { zone: [1] } },
  ]) {
    assert.throws(
      () => factory.parseConfig?.({ childPolicy, ...json } as JsonObject),
      /^TypeError: tercel_attribute_filter: (require|prefer) is .* it has to be an object/,
    );
  }
});

test("leaves nothing behind when closed", async () => {
  const { update, balancer, clock, attempt, made } = setUp({ prefer: { zone: "west" } });
  update();
  await attempt("c:3").fail("refused");
  balancer.close();
  assert.ok(made.every(({ state }) => state === "shutdown"));
  assert.equal(clock.pendingTimers, 0);
});
