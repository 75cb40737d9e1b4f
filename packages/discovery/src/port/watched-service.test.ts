import assert from "node:assert/strict";
import { test } from "node:test";
import { Code, ConnectError } from "@connectrpc/connect";
import { createFakeClock } from "@tercel/grpc/testing";
import { createInstance } from "./instance.ts";
import type { ServiceSnapshot, WatchProblem } from "./registry.ts";
import { WatchHub } from "./watch-hub.ts";
import type { WatchSink } from "./watched-service.ts";

const instance = (id: string, version = "") => createInstance({ id, version, name: "orders", address: "a", port: 1 });
const unreachable = new ConnectError("gone", Code.Unavailable);

/** A hub with a registry that the test controls. */
function setUp() {
  const clock = createFakeClock();
  const requests: { sink: WatchSink; isOver: boolean }[] = [];
  const hub = new WatchHub(clock, (_, sink) => {
    const request = { sink, isOver: false };
    requests.push(request);
    return () => {
      request.isOver = true;
    };
  });
  const sink = (): WatchSink => requests.at(-1)?.sink as WatchSink;
  function listen() {
    const received: string[] = [];
    const snapshots: ServiceSnapshot[] = [];
    const problems: WatchProblem[] = [];
    const watch = hub.watch("orders", {
      onSnapshot(snapshot) {
        snapshots.push(snapshot);
        received.push(snapshot.instances.map(({ id, version }) => id + version).join());
      },
      onProblem: (problem) => problems.push(problem),
    });
    return { received, snapshots, problems, watch };
  }
  return { clock, requests, hub, sink, listen };
}

test("one request serves all watches of a service, and ends with the last of them", () => {
  const { requests, sink, listen } = setUp();
  const first = listen();
  sink().replace([instance("a")]);
  const second = listen();
  assert.equal(requests.length, 1);
  assert.deepEqual(second.received, ["a"]);
  first.watch.close();
  assert.equal(requests[0]?.isOver, false);
  second.watch.close();
  assert.equal(requests[0]?.isOver, true);
});

test("the first change after a quiet period is reported at once, the following ones together", async () => {
  const { clock, sink, listen } = setUp();
  const { received, snapshots } = listen();
  sink().replace([instance("a")]);
  assert.deepEqual(received, ["a"]);
  sink().change([instance("b")], []);
  sink().change([instance("c")], ["a"]);
  assert.deepEqual(received, ["a"]);
  await clock.advance(20);
  assert.deepEqual(received, ["a", "b,c"]);
  const last = snapshots.at(-1);
  assert.deepEqual([last?.added.length, last?.changed.length, last?.removed.length], [2, 0, 1]);
  await clock.advance(20);
  sink().change([instance("b", "v2")], []);
  assert.deepEqual(received, ["a", "b,c", "bv2,c"]);
  assert.deepEqual(
    snapshots.at(-1)?.changed.map(({ id }) => id),
    ["b"],
  );
});

test("an unchanged instance is not reported again", async () => {
  const { clock, sink, listen } = setUp();
  const { received } = listen();
  sink().replace([instance("a")]);
  await clock.advance(100);
  sink().replace([instance("a")]);
  sink().change([instance("a")], ["unknown"]);
  await clock.advance(100);
  assert.deepEqual(received, ["a"]);
});

test("a failing registry removes no instance, and the age of the snapshot grows", async () => {
  const { clock, sink, listen } = setUp();
  const { received, problems, watch } = listen();
  assert.equal(watch.ageMs, undefined);
  sink().replace([instance("a")]);
  assert.equal(watch.ageMs, 0);
  await clock.advance(5000);
  assert.equal(watch.ageMs, 0);
  sink().confirm();
  await clock.advance(2000);
  sink().fail(unreachable, 500);
  assert.deepEqual(received, ["a"]);
  assert.deepEqual(problems, [{ error: unreachable, ageMs: 2000, nextAttemptInMs: 500 }]);
  await clock.advance(1000);
  assert.equal(watch.ageMs, 3000);
  // Recovery is reported even when nothing has changed.
  sink().replace([instance("a")]);
  assert.deepEqual(received, ["a", "a"]);
  assert.equal(watch.ageMs, 0);
});

test("a watcher that starts while the registry is down gets the last known instances and the problem", async () => {
  const { clock, sink, listen } = setUp();
  listen();
  sink().replace([instance("a")]);
  await clock.advance(50);
  sink().fail(unreachable, 700);
  await clock.advance(200);
  const late = listen();
  assert.deepEqual(late.received, ["a"]);
  assert.equal(late.snapshots[0]?.ageMs, 250);
  assert.deepEqual(late.problems, [{ error: unreachable, ageMs: 250, nextAttemptInMs: 500 }]);
});

test("a new watcher of an unwatched service gets the current instances if they arrive within a second, else the last known ones", async () => {
  const { clock, requests, sink, listen } = setUp();
  const first = listen();
  sink().replace([instance("a")]);
  first.watch.close();
  await clock.advance(60_000);
  const quick = listen();
  assert.deepEqual(quick.received, []);
  assert.equal(requests.length, 2);
  await clock.advance(999);
  sink().replace([instance("b")]);
  assert.deepEqual(quick.received, ["b"]);
  quick.watch.close();
  await clock.advance(60_000);
  const slow = listen();
  await clock.advance(999);
  assert.deepEqual(slow.received, []);
  await clock.advance(1);
  assert.deepEqual(slow.received, ["b"]);
  assert.equal(slow.snapshots[0]?.ageMs, 61_000);
  slow.watch.close();
  const failing = listen();
  sink().fail(unreachable, 100);
  assert.deepEqual(failing.received, ["b"]);
  assert.equal(failing.problems.length, 1);
});

test("while the registry settles, missing instances stay known", async () => {
  const { clock, sink, listen } = setUp();
  const { received } = listen();
  sink().replace([instance("a"), instance("b"), instance("c")]);
  sink().fail(unreachable, 100);
  await clock.advance(100);
  sink().replace([], { isSettling: true });
  sink().change([instance("a", "v2")], []);
  sink().change([], ["c"]);
  await clock.advance(100);
  assert.equal(received.at(-1), "av2,b");
  sink().settled();
  await clock.advance(100);
  assert.equal(received.at(-1), "av2");
});

test("a stopped request reports nothing any more", () => {
  const { requests, listen } = setUp();
  const first = listen();
  first.watch.close();
  const second = listen();
  requests[0]?.sink.replace([instance("old")]);
  requests[0]?.sink.fail(unreachable, 1);
  assert.deepEqual([second.received, second.problems], [[], []]);
});

test("a closed hub has no timers, and its listeners receive nothing", async () => {
  const { clock, hub, requests, listen } = setUp();
  const { received } = listen();
  requests[0]?.sink.replace([instance("a")]);
  hub.close();
  requests[0]?.sink.replace([instance("b")]);
  await clock.advance(10_000);
  assert.deepEqual(received, ["a"]);
  assert.equal(clock.pendingTimers, 0);
  assert.throws(() => hub.watch("orders", { onSnapshot() {}, onProblem() {} }), /closed/);
});

test("a watch keeps the process alive until it is closed; a channel's watch does not", () => {
  const { clock, hub } = setUp();
  const nothing = { onSnapshot() {}, onProblem() {} };
  hub.watch("orders", nothing, { keepsProcessAlive: false });
  assert.equal(clock.holdingTimers, 0);
  const [first, second] = [hub.watch("orders", nothing), hub.watch("invoices", nothing)];
  assert.equal(clock.holdingTimers, 1);
  first.close();
  first.close();
  assert.equal(clock.holdingTimers, 1);
  second.close();
  assert.equal(clock.holdingTimers, 0);
  hub.watch("orders", nothing);
  hub.close();
  assert.equal(clock.holdingTimers, 0);
});
