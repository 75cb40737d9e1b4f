import assert from "node:assert/strict";
import { test } from "node:test";
import { Code, ConnectError } from "@connectrpc/connect";
import { endpointOf, endpointsOf, ScriptedHealth, setUpPolicy } from "../testing/policy-host.ts";
import { createRoundRobin } from "./round-robin.ts";

/** Begins with the first endpoint. */
const roundRobin = createRoundRobin({ random: () => 0 });

test("connects to every endpoint at once and gives each that is ready a call in turn", async () => {
  const { balancer, states, attempt, addresses, sequence, pickedAddress } = setUpPolicy(roundRobin);
  assert.ok(balancer.update(endpointsOf("a:1", "b:2", "c:3")));
  assert.equal(addresses(), "a:1 b:2 c:3");
  assert.equal(pickedAddress(), "queue");
  await attempt("b:2").succeed();
  assert.equal(sequence(2), "b:2 b:2");
  await attempt("a:1").succeed();
  await attempt("c:3").succeed();
  assert.equal(sequence(5), "a:1 b:2 c:3 a:1 b:2");
  assert.deepEqual(states, ["connecting", "ready"]);
});

test("begins at an endpoint chosen at random", async () => {
  const { balancer, connectAll, sequence } = setUpPolicy(createRoundRobin({ random: () => 0.999 }));
  balancer.update(endpointsOf("a:1", "b:2", "c:3"));
  await connectAll();
  assert.equal(sequence(3), "c:3 a:1 b:2");
});

test("leaves out an endpoint while it is gone and connects to it again at once", async () => {
  const { balancer, states, attempt, addresses, connectAll, sequence, counts } = setUpPolicy(roundRobin);
  balancer.update(endpointsOf("a:1", "b:2"));
  const connections = await connectAll();
  connections.get("a:1")?.lose(new Error("read ECONNRESET"));
  assert.equal(addresses(), "a:1 b:2 a:1");
  assert.equal(counts.resolutions, 1);
  assert.equal(sequence(2), "b:2 b:2");
  await attempt("a:1").succeed();
  assert.equal(sequence(2), "a:1 b:2");
  assert.deepEqual(states, ["connecting", "ready"]);
});

test("connects with pauses to an endpoint that hangs up on every connection, and keeps one subchannel for it", async () => {
  const { clock, balancer, attempt, addresses, connectAll, sequence, made } = setUpPolicy(roundRobin);
  balancer.update(endpointsOf("a:1", "b:2"));
  await connectAll();
  for (let time = 0; time < 3; time++) (await attempt("a:1").succeed()).lose(new Error("read ECONNRESET"));
  const tried = addresses();
  // The second in a row that ends at once counts as a failed attempt.
  assert.equal(tried, "a:1 b:2 a:1");
  await clock.advance(999);
  assert.equal(addresses(), tried);
  await clock.advance(1);
  assert.equal(addresses(), `${tried} a:1`);
  await attempt("a:1").succeed();
  assert.equal(sequence(2), "a:1 b:2");
  assert.equal(made.length, 2);
});

test("connects at once to another instance at the address of one that failed, and forgets the pause", async () => {
  const { clock, balancer, attempt, addresses, sequence, made } = setUpPolicy(roundRobin);
  balancer.update({ endpoints: [endpointOf("a:1", { instanceId: "old" }), endpointOf("b:2", { instanceId: "b" })] });
  await attempt("b:2").succeed();
  await attempt("a:1").fail("refused");
  await clock.advance(500);
  const again = [endpointOf("a:1", { instanceId: "old", zone: "east" }), endpointOf("b:2", { instanceId: "b" })];
  balancer.update({ endpoints: again });
  assert.equal(addresses(), "a:1 b:2", "the same one waits for the end of its pause");
  balancer.update({ endpoints: [endpointOf("a:1", { instanceId: "new" }), endpointOf("b:2", { instanceId: "b" })] });
  assert.equal(addresses(), "a:1 b:2 a:1");
  await attempt("a:1").succeed();
  assert.equal(sequence(2), "a:1 b:2");
  assert.deepEqual(
    made.map(({ state }) => state),
    ["shutdown", "ready", "ready"],
  );
  assert.equal(clock.pendingTimers, 0);
});

test("fails only when every endpoint fails, names each with its reason, and recovers with the first that is reached", async () => {
  const { clock, balancer, states, attempt, failure, counts } = setUpPolicy(roundRobin);
  balancer.update(endpointsOf("a:1", "b:2"));
  await attempt("a:1").fail("refused");
  assert.deepEqual(states, ["connecting"]);
  await attempt("b:2").fail("no route");
  assert.deepEqual(states, ["connecting", "transient_failure"]);
  assert.equal(failure().code, Code.Unavailable);
  assert.equal(
    failure().rawMessage,
    'no connection to "dns:///x": a:1: refused (attempt 1, next in 1.0 s); b:2: no route (attempt 1, next in 1.0 s)',
  );
  assert.notEqual(failure(), failure());
  assert.equal(counts.resolutions, 2);
  await clock.advance(1000);
  assert.equal(states.at(-1), "transient_failure", "trying again is not connecting");
  await attempt("b:2").succeed();
  assert.deepEqual(states, ["connecting", "transient_failure", "ready"]);
});

test("goes back to connecting when the last endpoint that is ready goes, unless the others fail", async () => {
  const { balancer, states, attempt } = setUpPolicy(roundRobin);
  balancer.update(endpointsOf("a:1", "b:2"));
  await attempt("b:2").fail("refused");
  const a = await attempt("a:1").succeed();
  a.lose(undefined);
  assert.deepEqual(states, ["connecting", "ready", "connecting"]);
  await attempt("a:1").fail("refused");
  assert.equal(states.at(-1), "transient_failure");
});

test("names at most sixteen endpoints in an error", async () => {
  const { balancer, attempt, failure } = setUpPolicy(roundRobin);
  const names = Array.from({ length: 20 }, (_, i) => `h${i}:1`);
  balancer.update(endpointsOf(...names));
  for (const name of names) await attempt(name).fail("refused");
  assert.match(failure().rawMessage, /h15:1: refused \([^)]*\); and 4 more endpoints$/);
});

test("passes over endpoints without a place, and waits only when all are full", async () => {
  const { balancer, attempt, sequence, pick, currentPicker } = setUpPolicy(roundRobin);
  balancer.update(endpointsOf("a:1", "b:2", "c:3"));
  const [a, b, c] = [await attempt("a:1").succeed(1), await attempt("b:2").succeed(1), await attempt("c:3").succeed(1)];
  b.startCall();
  assert.equal(sequence(4), "a:1 c:3 c:3 a:1");
  a.startCall();
  c.startCall();
  const result = pick();
  assert.ok(result.kind === "complete" && !result.subchannel.connection?.canStartCall);
  assert.equal(currentPicker().describe(), "none of the 3 connected endpoints takes more calls at once");
  assert.equal(currentPicker().dependsOnCall, false);
});

test("keeps the connections of endpoints that stay, drains those that go, connects to those that come", async () => {
  const { balancer, addresses, connectAll, sequence } = setUpPolicy(roundRobin);
  balancer.update(endpointsOf("a:1", "b:2"));
  const connections = await connectAll();
  connections.get("a:1")?.startCall();
  balancer.update(endpointsOf("b:2", "c:3"));
  assert.equal(addresses(), "a:1 b:2 c:3");
  const a = connections.get("a:1");
  assert.ok(a?.isDraining && !a.isClosed);
  assert.equal(sequence(2), "b:2 b:2");
});

test("takes addresses in any order for the same endpoint, and an endpoint that comes twice for one", async () => {
  const { balancer, made, connectAll, sequence } = setUpPolicy(roundRobin);
  balancer.update(endpointsOf("a:1+b:2", "c:3", "c:3"));
  assert.equal(made.length, 3);
  await connectAll();
  balancer.update(endpointsOf("b:2+a:1", "c:3"));
  assert.equal(made.length, 3);
  assert.equal(sequence(4), "a:1 c:3 a:1 c:3");
});

test("fails for want of endpoints or of resolution, but holds on to those it has", async () => {
  const { balancer, failure, states, connectAll, pickedAddress } = setUpPolicy(roundRobin);
  balancer.onResolverError(new ConnectError("cannot resolve", Code.Unavailable));
  assert.equal(failure().rawMessage, "cannot resolve");
  assert.ok(balancer.update(endpointsOf("a:1")));
  await connectAll();
  balancer.onResolverError(new ConnectError("cannot resolve", Code.Unavailable));
  assert.equal(pickedAddress(), "a:1");
  assert.equal(balancer.update(endpointsOf()), false);
  assert.equal(failure().rawMessage, 'no connection to "dns:///x": the name resolves to no address');
  assert.deepEqual(states, ["transient_failure", "connecting", "ready", "transient_failure"]);
});

test("leaves out endpoints that are not healthy and says why when none is", async () => {
  const health = new ScriptedHealth();
  const { balancer, states, connectAll, sequence, failure } = setUpPolicy(roundRobin, { health });
  balancer.update(endpointsOf("a:1", "b:2"));
  await connectAll();
  assert.deepEqual(states, ["connecting"]);
  health.report("a:1", "ready");
  health.report("b:2", "transient_failure", "it says NOT_SERVING");
  assert.equal(sequence(2), "a:1 a:1");
  health.report("a:1", "transient_failure", "it says NOT_SERVING");
  assert.equal(failure().rawMessage, 'no connection to "dns:///x": a:1: it says NOT_SERVING; b:2: it says NOT_SERVING');
  health.report("a:1", "connecting");
  assert.equal(states.at(-1), "transient_failure", "asking again is not connecting");
  health.report("b:2", "ready");
  assert.equal(sequence(2), "b:2 b:2");
});

test("reports once for an update, and not for what concerns no call", async () => {
  const { clock, balancer, attempt, counts } = setUpPolicy(roundRobin);
  balancer.update(endpointsOf("a:1", "b:2", "c:3"));
  assert.equal(counts.reports, 1);
  await attempt("a:1").succeed();
  assert.equal(counts.reports, 2);
  await attempt("b:2").fail("refused");
  await clock.advance(1000);
  assert.equal(counts.reports, 2);
});

test("leaves nothing behind when closed", async () => {
  const { clock, balancer, attempt, made, counts } = setUpPolicy(roundRobin);
  balancer.update(endpointsOf("a:1", "b:2", "c:3+d:4"));
  await attempt("a:1").succeed();
  await attempt("b:2").fail("refused");
  const before = counts.reports;
  balancer.close();
  await attempt("c:3").fail("late");
  assert.ok(made.every(({ state }) => state === "shutdown"));
  assert.equal(clock.pendingTimers, 0);
  assert.equal(counts.reports, before);
});
