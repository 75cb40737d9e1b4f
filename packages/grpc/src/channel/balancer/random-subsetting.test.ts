import assert from "node:assert/strict";
import { test } from "node:test";
import { endpointsOf, seededRandom, setUpPolicy } from "../testing/policy-host.ts";
import { createPolicies } from "./policies.ts";
import { createRandomSubsetting } from "./random-subsetting.ts";

const { choose } = createPolicies();
const names = Array.from({ length: 10 }, (_, i) => `h${i}:1`);

function setUp(seed: number, subsetSize: number) {
  const factory = createRandomSubsetting(choose, { random: seededRandom(seed) });
  const config = factory.parseConfig?.({ subsetSize, childPolicy: [{ round_robin: {} }] });
  const setup = setUpPolicy(factory);
  return { ...setup, update: (...texts: string[]) => setup.balancer.update({ ...endpointsOf(...texts), config }) };
}

test("connects to as many endpoints as it is told, other ones in each channel", () => {
  const subsets = new Set<string>();
  for (let seed = 1; seed <= 20; seed += 1) {
    const { update, addresses } = setUp(seed, 3);
    update(...names);
    assert.equal(addresses().split(" ").length, 3);
    subsets.add(addresses());
  }
  assert.ok(subsets.size >= 15, `${subsets.size}`);
});

test("uses every endpoint when there are no more than it may use", () => {
  const { update, addresses } = setUp(1, 10);
  update(...names);
  assert.equal(addresses(), names.join(" "));
});

test("changes at most one endpoint when one comes or goes, whatever the order they come in", async () => {
  const { update, made, connectAll } = setUp(4, 4);
  const used = () =>
    made.filter(({ state }) => state === "ready").map(({ address }) => "host" in address && address.host);
  update(...names);
  await connectAll();
  const before = used();
  update(...[...names].reverse());
  assert.deepEqual(used(), before);
  update(...names.filter((name) => name !== `${before[0]}:1`));
  await connectAll();
  assert.equal(used().filter((host) => before.includes(host)).length, 3);
  assert.equal(used().length, 4);
});

test("reports a missing config", () => {
  const { balancer, failure } = setUp(1, 1);
  balancer.update(endpointsOf("a:1"));
  assert.match(failure().rawMessage, /random_subsetting needs a config/);
});
