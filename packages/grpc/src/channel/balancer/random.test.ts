import assert from "node:assert/strict";
import { test } from "node:test";
import { endpointsOf, seededRandom, setUpPolicy } from "../testing/policy-host.ts";
import { createRandom } from "./random.ts";

test("draws an endpoint for each call, all with the same chance", async () => {
  const { balancer, connectAll, pickedAddress } = setUpPolicy(createRandom({ random: seededRandom(11) }));
  balancer.update(endpointsOf("a:1", "b:2", "c:3"));
  await connectAll();
  const counts = new Map<string, number>();
  for (let i = 0; i < 3000; i += 1) {
    const address = pickedAddress();
    counts.set(address, (counts.get(address) ?? 0) + 1);
  }
  assert.deepEqual(Object.fromEntries(counts), { "a:1": 1007, "b:2": 994, "c:3": 999 });
});

test("takes the next endpoint with a place when the one it drew is full", async () => {
  const { balancer, attempt, sequence } = setUpPolicy(createRandom({ random: () => 0.5 }));
  balancer.update(endpointsOf("a:1", "b:2", "c:3"));
  await attempt("a:1").succeed();
  const b = await attempt("b:2").succeed(1);
  const c = await attempt("c:3").succeed(1);
  assert.equal(sequence(1), "b:2");
  b.startCall();
  assert.equal(sequence(1), "c:3");
  c.startCall();
  assert.equal(sequence(1), "a:1");
});
