import assert from "node:assert/strict";
import { test } from "node:test";
import { Code, ConnectError } from "@connectrpc/connect";
import type { Address } from "../../transport/client-connection.ts";
import { createBackoff } from "../backoff.ts";
import type { Subchannel } from "../subchannel/index.ts";
import { createSubchannel } from "../subchannel/subchannel.ts";
import { FakeClock, settle } from "../testing/fake-clock.ts";
import { scriptConnect } from "../testing/scripted-connect.ts";
import type { Picker } from "./index.ts";
import { pickFirst } from "./pick-first.ts";

function addressOf(text: string): Address {
  const [host = "", port] = text.split(":");
  return { host, port: Number(port) };
}

function endpointsOf(...texts: string[]) {
  return { endpoints: texts.map((text) => ({ addresses: text.split("+").map(addressOf) })) };
}

function setUp() {
  const clock = new FakeClock();
  const { connect, attempts } = scriptConnect();
  const states: string[] = [];
  const made: Subchannel[] = [];
  let picker: Picker | undefined;
  const counts = { resolutions: 0 };
  const settings = { onRequestResolution: () => {} };
  const balancer = pickFirst.create({
    targetText: "dns:///x",
    clock,
    createSubchannel: (address, onState) => {
      const options = { connect, clock, backoff: createBackoff({ random: () => 0.5 }) };
      const subchannel = createSubchannel(address, options, onState);
      made.push(subchannel);
      return subchannel;
    },
    updateState: (state, newPicker) => {
      states.push(state);
      picker = newPicker;
    },
    requestResolution: () => {
      counts.resolutions += 1;
      settings.onRequestResolution();
    },
  });
  const currentPicker = () => picker ?? assert.fail("there is no picker yet");
  const attempt = (index: number) => attempts[index] ?? assert.fail(`there was no attempt ${index}`);
  const addresses = () => attempts.map((one) => one.address).join(" ");
  const failure = () => {
    const result = currentPicker().pick(undefined);
    if (result.kind !== "fail") assert.fail(result.kind);
    return result.createError();
  };
  const picked = () => {
    const result = currentPicker().pick(undefined);
    return result.kind === "complete" ? result.subchannel.connection : result.kind;
  };
  return { clock, balancer, states, made, attempt, addresses, failure, picked, currentPicker, counts, settings };
}

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
  await clock.advance(300);
  await attempt(0).fail("connect ECONNREFUSED a:1");
  assert.deepEqual(states, ["connecting"]);
  await attempt(1).fail("no answer");
  assert.deepEqual(states, ["connecting", "transient_failure"]);
  assert.equal(counts.resolutions, 1);
  const error = failure();
  assert.equal(error.code, Code.Unavailable);
  assert.equal(
    error.rawMessage,
    'no connection to "dns:///x": a:1: connect ECONNREFUSED a:1 (attempt 1, next in 0.7 s); b:2: no answer (attempt 1, next in 1.0 s)',
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
  connection.goaway(0, "max_age");
  assert.deepEqual(states, ["connecting", "ready", "idle"]);
  assert.equal(counts.resolutions, 1);
  assert.match(currentPicker().describe(), /^idle since b:2: the server sent GOAWAY .*"max_age"$/);
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
  await settle();
  assert.ok(made.every(({ state }) => state === "shutdown"));
  assert.equal(clock.pendingTimers, 0);
  assert.deepEqual(states, ["connecting"]);
});
