import assert from "node:assert/strict";
import { test } from "node:test";
import { Code, ConnectError } from "@connectrpc/connect";
import { promisesSettled } from "../../time/fake-clock.ts";
import { endpointOf, endpointsOf, ScriptedHealth, seededRandom, setUpPolicy } from "../testing/policy-host.ts";
import { createPickFirst, pickFirst } from "./pick-first.ts";

const setUp = () => setUpPolicy(pickFirst);

test("tries the addresses of all endpoints one after the other and stops at the first that is reached", async () => {
  const { balancer, states, attempt, addresses, picked } = setUp();
  assert.ok(balancer.update(endpointsOf("a:1+b:2", "c:3", "d:4")));
  assert.equal(addresses(), "a:1");
  assert.equal(picked(), "queue");
  await attempt(0).fail("refused");
  await attempt(1).fail("refused");
  const connection = await attempt(2).succeed();
  assert.equal(addresses(), "a:1 b:2 c:3");
  assert.equal(picked(), connection);
  assert.deepEqual(states, ["connecting", "ready"]);
});

test("tells waiting calls how far it has come", async () => {
  const { balancer, attempt, currentPicker } = setUp();
  balancer.update(endpointsOf("a:1", "b:2", "c:3"));
  await attempt(0).fail("refused");
  assert.equal(
    currentPicker().describe(),
    "connecting: a:1: refused (attempt 1, next in 1.0 s); b:2: connecting (attempt 1 under way); c:3: idle",
  );
});

test("forgets the addresses that failed once one is reached", async () => {
  const { clock, balancer, made, attempt } = setUp();
  balancer.update(endpointsOf("a:1", "b:2", "c:3"));
  await attempt(0).fail("refused");
  await attempt(1).succeed();
  assert.deepEqual(
    made.map(({ state }) => state),
    ["shutdown", "ready", "shutdown"],
  );
  assert.equal(clock.pendingTimers, 0);
});

test("fails only after every address has failed, names each with its reason, and asks for resolution", async () => {
  const { clock, balancer, states, attempt, failure, counts } = setUp();
  balancer.update(endpointsOf("a:1", "b:2"));
  await clock.advance(200);
  await attempt(0).fail("connect ECONNREFUSED a:1");
  assert.deepEqual(states, ["connecting"]);
  await attempt(1).fail("no answer");
  assert.deepEqual(states, ["connecting", "transient_failure"]);
  assert.equal(counts.resolutions, 1);
  const error = failure();
  assert.equal(error.code, Code.Unavailable);
  assert.equal(
    error.rawMessage,
    'no connection to "dns:///x": a:1: connect ECONNREFUSED a:1 (attempt 1, next in 0.8 s); b:2: no answer (attempt 1, next in 1.0 s)',
  );
  assert.notEqual(failure(), error, "each call has an error of its own");
});

test("names the first sixteen of many addresses", async () => {
  const { balancer, attempt, failure } = setUp();
  const many = Array.from({ length: 18 }, (_, index) => `h${index}:1`);
  balancer.update(endpointsOf(...many));
  for (let i = 0; i < many.length; i += 1) await attempt(i).fail("refused");
  assert.match(failure().rawMessage, /; h15:1: refused \(attempt 1, next in 1\.0 s\); and 2 more$/);
});

test("keeps failing while it tries each address again after its own pause, until one is reached", async () => {
  const { clock, balancer, states, attempt, addresses, failure, picked } = setUp();
  balancer.update(endpointsOf("a:1", "b:2"));
  await clock.advance(500);
  await attempt(0).fail("refused");
  await attempt(1).fail("refused");
  await clock.advance(500);
  assert.equal(addresses(), "a:1 b:2 a:1");
  assert.match(failure().rawMessage, /a:1: refused \(attempt 2 under way\)/);
  await clock.advance(500);
  assert.equal(addresses(), "a:1 b:2 a:1 b:2");
  const connection = await attempt(3).succeed();
  assert.equal(picked(), connection);
  assert.ok(attempt(2).options.signal.aborted);
  assert.deepEqual(states, ["connecting", "transient_failure", "ready"]);
});

test("tries an address again at the end of a pass when its pause ended meanwhile", async () => {
  const { clock, balancer, attempt, addresses } = setUp();
  balancer.update(endpointsOf("a:1", "b:2"));
  await attempt(0).fail("refused");
  await clock.advance(5000);
  assert.equal(addresses(), "a:1 b:2");
  await attempt(1).fail("timed out");
  assert.equal(addresses(), "a:1 b:2 a:1");
});

test("asks for resolution after each further round of failures", async () => {
  const { clock, balancer, attempt, counts } = setUp();
  balancer.update(endpointsOf("a:1", "b:2"));
  await attempt(0).fail("refused");
  await attempt(1).fail("refused");
  assert.equal(counts.resolutions, 1);
  await clock.advance(1000);
  await attempt(2).fail("refused");
  assert.equal(counts.resolutions, 1);
  await attempt(3).fail("refused");
  assert.equal(counts.resolutions, 2);
});

test("goes idle and asks for resolution when its connection ends, and starts at the first address with the next call", async () => {
  const { balancer, states, attempt, addresses, picked, counts, currentPicker } = setUp();
  balancer.update(endpointsOf("a:1", "b:2"));
  await attempt(0).fail("refused");
  const connection = await attempt(1).succeed();
  connection.goaway(0, "max_idle");
  assert.deepEqual(states, ["connecting", "ready", "idle"]);
  assert.equal(counts.resolutions, 1);
  assert.match(currentPicker().describe(), /^idle since b:2: the server sent GOAWAY .*"max_idle"$/);
  assert.equal(addresses(), "a:1 b:2");
  assert.equal(picked(), "queue");
  assert.equal(addresses(), "a:1 b:2 a:1");
  assert.deepEqual(states, ["connecting", "ready", "idle", "connecting"]);
});

test("connects on exitIdle when idle, and does nothing otherwise", async () => {
  const { balancer, states, attempt, addresses } = setUp();
  balancer.update(endpointsOf("a:1"));
  balancer.exitIdle();
  assert.equal(addresses(), "a:1");
  (await attempt(0).succeed()).lose(undefined);
  balancer.exitIdle();
  balancer.exitIdle();
  assert.equal(addresses(), "a:1 a:1");
  assert.deepEqual(states, ["connecting", "ready", "idle", "connecting"]);
});

test("keeps its connection through an update that still has the address", async () => {
  const { balancer, states, attempt, picked } = setUp();
  balancer.update(endpointsOf("a:1"));
  const connection = await attempt(0).succeed();
  balancer.update(endpointsOf("b:2", "a:1"));
  assert.equal(picked(), connection);
  assert.deepEqual(states, ["connecting", "ready"]);
  connection.lose(undefined);
  balancer.exitIdle();
  assert.equal(attempt(1).address, "b:2");
});

test("leaves its connection for an update without the address and lets its calls end", async () => {
  const { balancer, states, attempt } = setUp();
  balancer.update(endpointsOf("a:1"));
  const connection = await attempt(0).succeed();
  connection.startCall();
  balancer.update(endpointsOf("b:2"));
  assert.ok(connection.isDraining && !connection.isClosed);
  assert.equal(attempt(1).address, "b:2");
  assert.deepEqual(states, ["connecting", "ready", "connecting"]);
});

test("keeps attempts and pauses of addresses that an update still has", async () => {
  const { balancer, attempt, addresses } = setUp();
  balancer.update(endpointsOf("a:1", "b:2", "c:3"));
  await attempt(0).fail("refused");
  balancer.update(endpointsOf("a:1", "b:2", "d:4"));
  assert.equal(addresses(), "a:1 b:2");
  await attempt(1).fail("refused");
  assert.equal(addresses(), "a:1 b:2 d:4");
});

test("stays failing through an update, but not through one that ends a want of addresses", async () => {
  const failing = setUp();
  failing.balancer.update(endpointsOf("a:1"));
  await failing.attempt(0).fail("refused");
  failing.balancer.update(endpointsOf("a:1", "b:2"));
  assert.equal(failing.addresses(), "a:1 b:2");
  assert.deepEqual(failing.states, ["connecting", "transient_failure"]);
  await failing.attempt(1).succeed();
  assert.equal(failing.states.at(-1), "ready");

  const empty = setUp();
  assert.equal(empty.balancer.update(endpointsOf()), false);
  assert.match(empty.failure().rawMessage, /^no connection to "dns:\/\/\/x": the name resolves to no address$/);
  assert.ok(empty.balancer.update(endpointsOf("a:1")));
  assert.deepEqual(empty.states, ["transient_failure", "connecting"]);
});

test("drops everything for an update without addresses", async () => {
  const { clock, balancer, made, attempt } = setUp();
  balancer.update(endpointsOf("a:1", "b:2"));
  await attempt(0).fail("refused");
  balancer.update(endpointsOf());
  assert.ok(made.every(({ state }) => state === "shutdown"));
  assert.equal(clock.pendingTimers, 0);
});

test("stays idle through an update, which counts for the next call", async () => {
  const { balancer, states, attempt, addresses } = setUp();
  balancer.update(endpointsOf("a:1"));
  (await attempt(0).succeed()).lose(undefined);
  balancer.update(endpointsOf("b:2"));
  assert.equal(addresses(), "a:1");
  assert.equal(states.at(-1), "idle");
  balancer.exitIdle();
  assert.equal(addresses(), "a:1 b:2");
});

test("begins one pass when resolution answers from within the request", async () => {
  const { balancer, attempt, addresses, settings } = setUp();
  settings.onRequestResolution = () => {
    balancer.update(endpointsOf("c:3", "d:4"));
  };
  balancer.update(endpointsOf("a:1"));
  await attempt(0).fail("refused");
  assert.equal(addresses(), "a:1 c:3");
});

test("fails with the resolver's reason only while it has no address", async () => {
  const { balancer, failure, states, attempt } = setUp();
  const reason = new ConnectError("cannot resolve", Code.Unavailable);
  balancer.onResolverError(reason);
  assert.equal(failure().rawMessage, "cannot resolve");
  assert.notEqual(failure(), reason);
  balancer.update(endpointsOf("a:1"));
  balancer.onResolverError(reason);
  await attempt(0).succeed();
  balancer.onResolverError(reason);
  assert.deepEqual(states, ["transient_failure", "connecting", "ready"]);
});

test("tries an address once that stands in several endpoints", async () => {
  const { balancer, made } = setUp();
  balancer.update(endpointsOf("a:1", "a:1+b:2"));
  assert.equal(made.length, 2);
});

test("leaves nothing behind when closed", async () => {
  const { clock, balancer, made, attempt, states } = setUp();
  balancer.update(endpointsOf("a:1", "b:2"));
  await attempt(0).fail("refused");
  balancer.close();
  await attempt(1).fail("late");
  await promisesSettled();
  assert.ok(made.every(({ state }) => state === "shutdown"));
  assert.equal(clock.pendingTimers, 0);
  assert.deepEqual(states, ["connecting"]);
});

test("begins the next address when an attempt has taken 250 ms, and takes the first that is reached", async () => {
  const { clock, balancer, states, attempt, addresses, picked, made } = setUp();
  balancer.update(endpointsOf("a:1", "b:2", "c:3"));
  await clock.advance(249);
  assert.equal(addresses(), "a:1");
  await clock.advance(1);
  assert.equal(addresses(), "a:1 b:2");
  await clock.advance(250);
  assert.equal(addresses(), "a:1 b:2 c:3");
  const connection = await attempt("b:2").succeed();
  assert.equal(picked(), connection);
  assert.deepEqual(
    made.map(({ state }) => state),
    ["shutdown", "ready", "shutdown"],
  );
  assert.ok(attempt("a:1").options.signal.aborted && attempt("c:3").options.signal.aborted);
  assert.deepEqual(states, ["connecting", "ready"]);
  assert.equal(clock.pendingTimers, 0);
});

test("counts the 250 ms again from each attempt", async () => {
  const { clock, balancer, attempt, addresses } = setUp();
  balancer.update(endpointsOf("a:1", "b:2", "c:3"));
  await clock.advance(200);
  await attempt("a:1").fail("refused");
  assert.equal(addresses(), "a:1 b:2");
  await clock.advance(249);
  assert.equal(addresses(), "a:1 b:2");
  await clock.advance(1);
  assert.equal(addresses(), "a:1 b:2 c:3");
});

test("does not hurry on when an attempt fails that is not the latest", async () => {
  const { clock, balancer, attempt, addresses } = setUp();
  balancer.update(endpointsOf("a:1", "b:2", "c:3"));
  await clock.advance(250);
  await attempt("a:1").fail("refused");
  assert.equal(addresses(), "a:1 b:2");
  await clock.advance(250);
  assert.equal(addresses(), "a:1 b:2 c:3");
});

test("waits for every attempt before it fails, in whatever order they do", async () => {
  const { clock, balancer, states, attempt, counts } = setUp();
  balancer.update(endpointsOf("a:1", "b:2"));
  await clock.advance(250);
  await attempt("b:2").fail("refused");
  assert.deepEqual(states, ["connecting"]);
  await attempt("a:1").fail("refused");
  assert.deepEqual(states, ["connecting", "transient_failure"]);
  assert.equal(counts.resolutions, 1);
});

test("takes the address families in turns, beginning with that of the first address", () => {
  const { balancer, made } = setUp();
  balancer.update(endpointsOf("[::1]:1", "[::2]:1", "[::3]:1", "1.1.1.1:1", "/run/x.sock"));
  assert.deepEqual(
    made.map(({ address }) => ("path" in address ? address.path : address.host)),
    ["::1", "1.1.1.1", "/run/x.sock", "::2", "::3"],
  );
});

test("shuffles endpoints if its config says so, and leaves the order within an endpoint alone", () => {
  const factory = createPickFirst({ random: seededRandom(7) });
  const config = factory.parseConfig?.({ shuffleAddressList: true });
  const firsts = new Map<string, number>();
  for (let i = 0; i < 1000; i += 1) {
    const { balancer, made } = setUpPolicy(factory);
    balancer.update({ ...endpointsOf("a:1+b:2", "c:3"), config });
    const order = made.map(({ address }) => ("host" in address ? address.host : "")).join("");
    firsts.set(order, (firsts.get(order) ?? 0) + 1);
  }
  assert.deepEqual([...firsts.keys()].sort(), ["abc", "cab"]);
  assert.equal(firsts.get("abc"), 491, "the seed's share of a half");
});

test("puts an endpoint of thrice the weight first thrice as often", () => {
  const factory = createPickFirst({ random: seededRandom(3) });
  const config = factory.parseConfig?.({ shuffleAddressList: true });
  let heavyFirst = 0;
  for (let i = 0; i < 1000; i += 1) {
    const { balancer, addresses } = setUpPolicy(factory);
    balancer.update({ endpoints: [endpointOf("a:1"), endpointOf("b:2", { weight: 3 })], config });
    if (addresses() === "b:2") heavyFirst += 1;
  }
  assert.equal(heavyFirst, 763, "the seed's share of three quarters");
});

test("refuses a config whose field has the wrong type", () => {
  assert.throws(() => pickFirst.parseConfig?.({ shuffleAddressList: "yes" }), {
    name: "TypeError",
    message: 'pick_first: shuffleAddressList is "yes"; it has to be true or false',
  });
  assert.deepEqual(pickFirst.parseConfig?.({}), { shuffleAddressList: false });
});

test("connects at once when the server ends a connection because of its age or amid calls", async () => {
  for (const reason of ["age", "calls"] as const) {
    const { balancer, states, attempt, addresses, picked, counts } = setUp();
    balancer.update(endpointsOf("a:1"));
    const old = await attempt(0).succeed();
    if (reason === "calls") old.startCall();
    old.goaway(0, reason === "age" ? "max_age" : "");
    assert.equal(addresses(), "a:1 a:1", reason);
    assert.equal(counts.resolutions, 1);
    if (reason === "calls") assert.ok(!old.isClosed, "its call goes on");
    const fresh = await attempt(1).succeed();
    assert.equal(picked(), fresh);
    assert.deepEqual(states, ["connecting", "ready", "connecting", "ready"]);
  }
});

test("does not reconnect by itself after an error, after silence, or when a connection was idle for too long", async () => {
  for (const { code, debug } of [
    { code: 11, debug: "too_many_pings" },
    { code: 0, debug: "max_idle" },
    { code: 0, debug: "" },
  ]) {
    const { balancer, states, attempt, addresses } = setUp();
    balancer.update(endpointsOf("a:1"));
    const connection = await attempt(0).succeed();
    if (code !== 0) connection.startCall();
    connection.goaway(code, debug);
    assert.equal(addresses(), "a:1");
    assert.deepEqual(states, ["connecting", "ready", "idle"]);
  }
});

test("as a child reports its server's health and keeps the connection whatever that is", async () => {
  const health = new ScriptedHealth();
  const { balancer, states, attempt, failure, picked } = setUpPolicy(createPickFirst({ followsHealth: true }), {
    health,
  });
  balancer.update(endpointsOf("a:1", "b:2"));
  const connection = await attempt(0).succeed();
  assert.deepEqual(states, ["connecting"]);
  assert.equal(picked(), "queue");
  health.report("a:1", "transient_failure", "it says NOT_SERVING");
  assert.equal(failure().rawMessage, 'no connection to "dns:///x": a:1: it says NOT_SERVING');
  health.report("a:1", "ready");
  assert.equal(picked(), connection);
  assert.deepEqual(states, ["connecting", "transient_failure", "ready"]);
  connection.lose(undefined);
  assert.equal(health.watchers("a:1"), 0);
  assert.equal(states.at(-1), "idle");
});

test("ends its health watch with the connection, an update without the address, and close", async () => {
  for (const end of ["lose", "update", "close"] as const) {
    const health = new ScriptedHealth();
    const { balancer, attempt } = setUpPolicy(createPickFirst({ followsHealth: true }), { health });
    balancer.update(endpointsOf("a:1"));
    const connection = await attempt(0).succeed();
    assert.equal(health.watchers("a:1"), 1);
    if (end === "lose") connection.lose(undefined);
    else if (end === "update") balancer.update(endpointsOf("b:2"));
    else balancer.close();
    assert.equal(health.watchers("a:1"), 0, end);
  }
});

test("on its own does not look at health", async () => {
  const health = new ScriptedHealth();
  const { balancer, states, attempt } = setUpPolicy(pickFirst, { health });
  balancer.update(endpointsOf("a:1"));
  await attempt(0).succeed();
  assert.deepEqual(states, ["connecting", "ready"]);
});
