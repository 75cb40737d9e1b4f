import assert from "node:assert/strict";
import { test } from "node:test";
import { endpointsOf, seededRandom, setUpPolicy } from "../testing/policy-host.ts";
import { createLeastRequest } from "./least-request.ts";

const ended = { code: undefined, trailer: () => null };

/** Draws the given positions of three endpoints, in order. */
function drawing(...positions: number[]) {
  return { random: () => ((positions.shift() ?? 0) + 0.5) / 3 };
}

test("takes the one of two drawn endpoints that has fewer calls open", async () => {
  const { balancer, connectAll, startCall } = setUpPolicy(
    createLeastRequest(drawing(0, 1, 0, 1, 0, 1, 0, 1, 1, 0, 2, 1)),
  );
  balancer.update(endpointsOf("a:1", "b:2", "c:3"));
  await connectAll();
  const first = startCall();
  assert.equal(first.address, "a:1", "as few on both: the first drawn");
  assert.equal(startCall().address, "b:2");
  assert.equal(startCall().address, "a:1");
  assert.equal(startCall().address, "b:2");
  first.tracker?.onEnd(ended);
  assert.equal(startCall().address, "a:1");
  assert.equal(startCall().address, "c:3");
});

test("goes on counting through updates and reconnections", async () => {
  const { balancer, connectAll, attempt, startCall } = setUpPolicy(createLeastRequest(drawing(0, 0, 0, 1, 0, 1)));
  balancer.update(endpointsOf("a:1", "b:2", "c:3"));
  const connections = await connectAll();
  const call = startCall();
  assert.equal(call.address, "a:1");
  balancer.update(endpointsOf("c:3", "a:1", "b:2"));
  balancer.update(endpointsOf("a:1", "b:2", "c:3"));
  connections.get("a:1")?.lose(undefined);
  await attempt("a:1").succeed();
  assert.equal(startCall().address, "b:2");
});

test("spreads calls that never end evenly", async () => {
  const { balancer, connectAll, startCall } = setUpPolicy(createLeastRequest({ random: seededRandom(5) }));
  balancer.update(endpointsOf("a:1", "b:2", "c:3", "d:4"));
  await connectAll(1000);
  const counts = new Map<string, number>();
  for (let i = 0; i < 400; i += 1) {
    const { address } = startCall();
    counts.set(address, (counts.get(address) ?? 0) + 1);
  }
  for (const count of counts.values()) assert.ok(count >= 98 && count <= 102, `${count}`);
});

test("draws as many as choiceCount says, two by default and ten at most", () => {
  const { parseConfig } = createLeastRequest();
  assert.deepEqual(parseConfig?.({}), { choiceCount: 2 });
  assert.deepEqual(parseConfig?.({ choiceCount: 10 }), { choiceCount: 10 });
  assert.deepEqual(parseConfig?.({ choiceCount: 11 }), { choiceCount: 10 });
  for (const choiceCount of [1, 0, 2.5, "x", null]) {
    if (choiceCount === null) continue;
    assert.throws(() => parseConfig?.({ choiceCount }), /^TypeError: least_request: choiceCount is /);
  }
});

test("with three choices looks at three endpoints", async () => {
  const factory = createLeastRequest(drawing(0, 0, 0, 1, 1, 1, 0, 1, 2));
  const { balancer, connectAll, startCall } = setUpPolicy(factory);
  balancer.update({ ...endpointsOf("a:1", "b:2", "c:3"), config: factory.parseConfig?.({ choiceCount: 3 }) });
  await connectAll();
  assert.equal(startCall().address, "a:1");
  assert.equal(startCall().address, "b:2");
  assert.equal(startCall().address, "c:3");
});
