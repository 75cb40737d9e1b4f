import assert from "node:assert/strict";
import { test } from "node:test";
import { Code } from "@connectrpc/connect";
import { endpointsOf, setUpPolicy } from "../testing/policy-host.ts";
import type { CallOutcome } from "./index.ts";
import { createPolicies, findPolicy } from "./policies.ts";

const { all } = createPolicies([], { random: () => 0 });
const ok: CallOutcome = { code: undefined, wasAnswered: true, trailer: () => null };
const hung: CallOutcome = { code: Code.DeadlineExceeded, wasAnswered: false, trailer: () => null };

async function setUp(policyName = "round_robin", addresses = ["a:1", "b:2", "c:3"]) {
  const factory = findPolicy(all, policyName) ?? assert.fail(`there is no ${policyName}`);
  const setup = setUpPolicy(factory);
  setup.balancer.update(endpointsOf(...addresses));
  await setup.connectAll();
  /** Calls until this one endpoint has had so many; the others end with `others`. */
  const call = (address: string, outcome: CallOutcome, count: number, others = ok): void => {
    for (let had = 0; had < count; ) {
      const started = setup.startCall();
      if (started.address === address) had += 1;
      started.tracker?.onEnd(started.address === address ? outcome : others);
    }
  };
  return { ...setup, call };
}

for (const policyName of ["round_robin", "random", "least_request", "weighted_round_robin"]) {
  test(`${policyName} has outlier detection by default`, async () => {
    const { startCall } = await setUp(policyName);
    assert.ok(startCall().tracker !== undefined);
  });
}

test("ring_hash has outlier detection by default", async () => {
  const factory = findPolicy(all, "ring_hash") ?? assert.fail("there is no ring_hash");
  const { balancer, pick, connectAll, startCall } = setUpPolicy(factory);
  balancer.update({ ...endpointsOf("a:1"), config: factory.parseConfig?.({ requestHashHeader: "x-key" }) });
  const info = { methodPath: "/a.B/C", header: new Headers({ "x-key": "1" }) };
  // It connects only to what calls hash to.
  pick(info);
  await connectAll();
  assert.ok(startCall(info).tracker !== undefined);
});

test("ejects an endpoint at once when five calls in a row got no answer, and not after four", async () => {
  const { call, sequence } = await setUp();
  call("b:2", hung, 4);
  assert.match(sequence(3), /b:2/);
  call("b:2", hung, 1);
  assert.doesNotMatch(sequence(6), /b:2/);
});

test("lets it back after 30 seconds, and ejects it for longer at its next call without an answer", async () => {
  const { call, clock, sequence } = await setUp();
  call("b:2", hung, 5);
  await clock.advance(29_999);
  assert.doesNotMatch(sequence(6), /b:2/);
  await clock.advance(1);
  assert.match(sequence(3), /b:2/);
  call("b:2", hung, 1);
  assert.doesNotMatch(sequence(6), /b:2/);
  await clock.advance(59_999);
  assert.doesNotMatch(sequence(6), /b:2/);
  await clock.advance(1);
  // It has answered: five in a row are needed again.
  call("b:2", ok, 1);
  call("b:2", hung, 4);
  assert.match(sequence(3), /b:2/);
});

test("does not judge what a server answered, be it DEADLINE_EXCEEDED, nor what the caller gave up", async () => {
  const { call, sequence } = await setUp();
  call("b:2", hung, 4);
  call("b:2", { code: Code.DeadlineExceeded, wasAnswered: true, trailer: () => null }, 1);
  call("b:2", hung, 4);
  call("b:2", { code: Code.Internal, wasAnswered: true, trailer: () => null }, 20);
  call("b:2", { code: Code.Canceled, wasAnswered: false, trailer: () => null }, 20);
  assert.match(sequence(3), /b:2/);
});

test("ejects no endpoint while none of the others answers either", async () => {
  const { call, sequence } = await setUp();
  call("b:2", hung, 20, hung);
  assert.match(sequence(3), /b:2/);
});

test("keeps half of the endpoints, and the only one", async () => {
  const four = await setUp("round_robin", ["a:1", "b:2", "c:3", "d:4"]);
  for (const address of ["a:1", "b:2"]) four.call(address, hung, 5);
  four.call("c:3", hung, 10);
  assert.match(four.sequence(4), /c:3/);
  const one = await setUp("round_robin", ["a:1"]);
  one.call("a:1", hung, 20);
  assert.equal(one.sequence(1), "a:1");
});

test("does what an explicit outlier_detection says, which may be nothing", async () => {
  const factory = findPolicy(all, "outlier_detection") ?? assert.fail("there is no outlier_detection");
  const plain = setUpPolicy(factory);
  const config = factory.parseConfig?.({ childPolicy: [{ round_robin: {} }] });
  plain.balancer.update({ ...endpointsOf("a:1", "b:2"), config });
  await plain.connectAll();
  assert.equal(plain.startCall().tracker, undefined);

  const strict = setUpPolicy(factory);
  const consecutiveDeadlineEjection = { threshold: 1 };
  strict.balancer.update({
    ...endpointsOf("a:1", "b:2"),
    config: factory.parseConfig?.({ consecutiveDeadlineEjection, childPolicy: [{ round_robin: {} }] }),
  });
  await strict.connectAll();
  const [first, second] = [strict.startCall(), strict.startCall()];
  second.tracker?.onEnd(hung);
  first.tracker?.onEnd(ok);
  assert.equal(strict.sequence(2), `${first.address} ${second.address}`, "no other has answered since");
  strict.startCall();
  strict.startCall().tracker?.onEnd(hung);
  assert.equal(strict.sequence(2), `${first.address} ${first.address}`);
});
