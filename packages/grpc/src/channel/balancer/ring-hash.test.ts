import assert from "node:assert/strict";
import { test } from "node:test";
import { Code, ConnectError } from "@connectrpc/connect";
import { endpointOf, endpointsOf, seededRandom, setUpPolicy } from "../testing/policy-host.ts";
import type { PickInfo } from "./index.ts";
import { createRingHash } from "./ring-hash.ts";

const factory = createRingHash({ random: seededRandom(2) });
const config = factory.parseConfig?.({ requestHashHeader: "x-user" });

function callOf(user?: string): PickInfo {
  const header = new Headers(user === undefined ? undefined : { "x-user": user });
  return { methodPath: "/a.B/C", header };
}

function setUp(...names: string[]) {
  const setup = setUpPolicy(factory);
  setup.balancer.update({ ...endpointsOf(...names), config });
  return setup;
}

test("connects only to the endpoint that a call hashes to, and sends it there", async () => {
  const { states, attempt, addresses, pickedAddress } = setUp("a:1", "b:2", "c:3");
  assert.deepEqual(states, ["idle"]);
  assert.equal(addresses(), "");
  assert.equal(pickedAddress(callOf("anna")), "queue");
  const first = addresses();
  assert.ok(["a:1", "b:2", "c:3"].includes(first));
  assert.deepEqual(states, ["idle", "connecting"]);
  await attempt(0).succeed();
  for (let i = 0; i < 5; i += 1) assert.equal(pickedAddress(callOf("anna")), first);
  assert.deepEqual(states, ["idle", "connecting", "ready"]);
  assert.equal(addresses(), first);
});

test("spreads different values over the endpoints", async () => {
  const { connectAll, pickedAddress } = setUp("a:1", "b:2", "c:3");
  const counts: Record<string, number> = {};
  for (let i = 0; i < 300; i += 1) pickedAddress(callOf(`user-${i}`));
  await connectAll();
  for (let i = 0; i < 300; i += 1) {
    const address = pickedAddress(callOf(`user-${i}`));
    counts[address] = (counts[address] ?? 0) + 1;
  }
  assert.deepEqual(Object.keys(counts).sort(), ["a:1", "b:2", "c:3"]);
  for (const count of Object.values(counts)) assert.ok(count > 70 && count < 130, `${count}`);
});

test("goes on to the next endpoint of the ring when its own fails, and back when that recovers", async () => {
  const { clock, states, attempt, addresses, connectAll, pickedAddress } = setUp("a:1", "b:2", "c:3");
  pickedAddress(callOf("anna"));
  const own = addresses();
  await attempt(own).fail("refused");
  assert.equal(states.at(-1), "connecting", "one failure of several endpoints");
  pickedAddress(callOf("anna"));
  await connectAll();
  const next = pickedAddress(callOf("anna"));
  assert.ok(next !== own && addresses().includes(next));
  assert.equal(pickedAddress(callOf("anna")), next);
  await clock.advance(1000);
  await attempt(own).succeed();
  assert.equal(pickedAddress(callOf("anna")), own);
});

test("fails when two endpoints have failed, but goes on to try the others", async () => {
  const { attempt, states, addresses, failure, pickedAddress } = setUp("a:1", "b:2", "c:3", "d:4");
  pickedAddress(callOf("anna"));
  await attempt(0).fail("refused");
  assert.equal(addresses().split(" ").length, 2, "one more tries without a call");
  await attempt(1).fail("refused");
  assert.equal(states.at(-1), "transient_failure");
  assert.equal(addresses().split(" ").length, 3);
  await attempt(2).fail("refused");
  await attempt(3).fail("refused");
  assert.equal(failure(callOf("anna")).code, Code.Unavailable);
  assert.match(failure(callOf("anna")).rawMessage, /^no connection to "dns:\/\/\/x": .*: refused/);
});

test("the only endpoint that fails makes it fail", async () => {
  const { attempt, states, pickedAddress } = setUp("a:1");
  pickedAddress(callOf("anna"));
  await attempt(0).fail("refused");
  assert.deepEqual(states, ["idle", "connecting", "transient_failure"]);
});

test("is idle again when its connection ends, and connects with the next call", async () => {
  const { attempt, states, addresses, pickedAddress } = setUp("a:1");
  pickedAddress(callOf("anna"));
  (await attempt(0).succeed()).lose(undefined);
  assert.deepEqual(states, ["idle", "connecting", "ready", "idle"]);
  assert.equal(addresses(), "a:1");
  pickedAddress(callOf("anna"));
  assert.equal(addresses(), "a:1 a:1");
});

test("lets a call without the header go to any endpoint that is ready", async () => {
  const { attempt, addresses, pickedAddress } = setUp("a:1", "b:2", "c:3");
  assert.equal(pickedAddress(callOf()), "queue");
  pickedAddress(callOf());
  pickedAddress(undefined);
  assert.equal(addresses().split(" ").length, 1, "one at a time connects for them");
  await attempt(0).succeed();
  const ready = addresses().split(" ")[0];
  for (let i = 0; i < 10; i += 1) assert.equal(pickedAddress(callOf()), ready);
});

test("hashes several values of the header as one, joined by commas", async () => {
  const { connectAll, pickedAddress } = setUp("a:1", "b:2", "c:3", "d:4", "e:5");
  const several = callOf("anna");
  several.header.append("x-user", "bert");
  for (let i = 0; i < 100; i += 1) pickedAddress(callOf(`user-${i}`));
  await connectAll();
  assert.equal(pickedAddress(several), pickedAddress(callOf("anna, bert")));
});

test("waits for its own endpoint even if another has a place", async () => {
  const { attempt, currentPicker, pick, pickedAddress, addresses } = setUp("a:1", "b:2");
  pickedAddress(callOf("anna"));
  const own = await attempt(0).succeed(1);
  own.startCall();
  const result = pick(callOf("anna"));
  assert.ok(result.kind === "complete" && result.subchannel.connection === own);
  assert.equal(currentPicker().dependsOnCall, true);
  assert.equal(addresses().split(" ").length, 1);
});

test("places endpoints by hash_key and gives them entries by weight", async () => {
  const moved = setUpPolicy(factory);
  const plain = setUpPolicy(factory);
  const names = ["a:1", "b:2", "c:3"];
  const keys: Record<string, string> = { "a:1": "pod-0", "b:2": "pod-1", "c:3": "pod-2" };
  const before = names.map((name) => endpointOf(name, { hash_key: keys[name] }));
  const after = [endpointOf("x:7", { hash_key: "pod-0" }), ...before.slice(1)];
  plain.balancer.update({ endpoints: before, config });
  moved.balancer.update({ endpoints: after, config });
  for (let i = 0; i < 50; i += 1) {
    plain.pickedAddress(callOf(`user-${i}`));
    moved.pickedAddress(callOf(`user-${i}`));
  }
  await plain.connectAll();
  await moved.connectAll();
  for (let i = 0; i < 50; i += 1) {
    const was = plain.pickedAddress(callOf(`user-${i}`));
    assert.equal(moved.pickedAddress(callOf(`user-${i}`)), was === "a:1" ? "x:7" : was);
  }

  const heavy = setUpPolicy(factory);
  heavy.balancer.update({ endpoints: [endpointOf("a:1", { weight: 9 }), endpointOf("b:2")], config });
  for (let i = 0; i < 300; i += 1) heavy.pickedAddress(callOf(`user-${i}`));
  await heavy.connectAll();
  let heavyCount = 0;
  for (let i = 0; i < 300; i += 1) if (heavy.pickedAddress(callOf(`user-${i}`)) === "a:1") heavyCount += 1;
  assert.ok(heavyCount > 255 && heavyCount < 285, `${heavyCount}`);
});

test("keeps what it has when resolution fails, and fails for want of endpoints", async () => {
  const { balancer, failure, states } = setUp("a:1");
  balancer.onResolverError(new ConnectError("cannot resolve", Code.Unavailable));
  assert.deepEqual(states, ["idle"]);
  assert.equal(balancer.update({ ...endpointsOf(), config }), false);
  assert.match(failure(callOf("anna")).rawMessage, /the name resolves to no address$/);
  balancer.onResolverError(new ConnectError("cannot resolve", Code.Unavailable));
  assert.equal(failure(callOf("anna")).rawMessage, "cannot resolve");
  balancer.update({ ...endpointsOf("a:1"), config });
  assert.equal(states.at(-1), "idle");
});

test("connects to one endpoint on exitIdle", () => {
  const { balancer, addresses, states } = setUp("a:1", "b:2");
  balancer.exitIdle();
  balancer.exitIdle();
  assert.equal(addresses(), "a:1");
  assert.deepEqual(states, ["idle", "connecting"]);
});

test("refuses a config that does not say what to hash or has impossible sizes", () => {
  for (const json of [
    {},
    { requestHashHeader: "" },
    { requestHashHeader: "x user" },
    { requestHashHeader: "token-bin" },
    { requestHashHeader: "x", minRingSize: 0 },
    { requestHashHeader: "x", maxRingSize: 8_388_609 },
    { requestHashHeader: "x", minRingSize: 11, maxRingSize: 10 },
  ]) {
    assert.throws(
      () => factory.parseConfig?.(json),
      /^TypeError: ring_hash: (requestHashHeader|minRingSize|maxRingSize) is /,
    );
  }
  assert.deepEqual(
    factory.parseConfig?.({ requestHashHeader: "X-User", minRingSize: "5000", maxRingSize: 8_388_608 }),
    {
      requestHashHeader: "x-user",
      minRingSize: 4096,
      maxRingSize: 4096,
    },
  );
});

test("leaves nothing behind when closed", async () => {
  const { balancer, clock, made, attempt, pickedAddress } = setUp("a:1", "b:2");
  pickedAddress(callOf("anna"));
  await attempt(0).fail("refused");
  balancer.close();
  assert.ok(made.every(({ state }) => state === "shutdown"));
  assert.equal(clock.pendingTimers, 0);
});
