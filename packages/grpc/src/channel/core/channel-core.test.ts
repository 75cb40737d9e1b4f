import assert from "node:assert/strict";
import { test } from "node:test";
import { Code, ConnectError } from "@connectrpc/connect";
import { createFakeClock, promisesSettled } from "../../time/fake-clock.ts";
import type { BalancerFactory, BalancerHost, PickInfo, PickResult } from "../balancer/index.ts";
import { parseTarget } from "../naming/target.ts";
import type { ResolverFactory, ResolverListener } from "../resolver/index.ts";
import { ScriptedConnection, scriptConnect } from "../testing/scripted-connect.ts";
import { type CallWaiter, ChannelCore, type ChannelCoreOptions, type CompletePick } from "./channel-core.ts";
import type { WaiterQueue } from "./waiter-queue.ts";

/** A call that notes what becomes of it and takes its place on the connection. */
class TestCall implements CallWaiter {
  readonly keepsProcessAlive = true;
  readonly waitForReady: boolean;
  readonly pickInfo: PickInfo | undefined;
  queue: WaiterQueue | undefined;
  previousWaiter: CallWaiter | undefined;
  nextWaiter: CallWaiter | undefined;
  connection: ScriptedConnection | undefined;
  error: ConnectError | undefined;
  onOver: () => void = () => {};
  resolutionEnds = 0;
  readonly #began: TestCall[];

  constructor(began: TestCall[] = [], waitForReady = false, pickInfo?: PickInfo) {
    this.#began = began;
    this.waitForReady = waitForReady;
    this.pickInfo = pickInfo;
  }

  onPick(pick: CompletePick): void {
    const { connection } = pick.subchannel;
    assert.ok(connection instanceof ScriptedConnection);
    assert.ok(this.connection === undefined && this.error === undefined);
    connection.startCall();
    this.connection = connection;
    this.#began.push(this);
    this.onOver();
  }

  onResolutionEnd(): void {
    assert.ok(this.connection === undefined && this.error === undefined);
    this.resolutionEnds += 1;
  }

  onServiceConfig(): void {}

  onFail(error: ConnectError): void {
    assert.ok(this.connection === undefined && this.error === undefined);
    this.error = error;
    this.onOver();
  }
}

function setUp(options: ChannelCoreOptions = {}, target = "ipv4:127.0.0.1:1") {
  const clock = createFakeClock();
  const { connect, attempts } = scriptConnect();
  const schemes = (options.resolvers ?? []).map(({ scheme }) => scheme);
  const core = new ChannelCore(parseTarget(target, { schemes }), connect, {
    clock,
    backoff: { random: () => 0.5 },
    ...options,
  });
  const states: string[] = [];
  core.watchState((state) => states.push(state));
  const began: TestCall[] = [];
  const attempt = (index: number) => attempts[index] ?? assert.fail(`there was no attempt ${index}`);
  const enqueue = (waitForReady = false, pickInfo?: PickInfo): TestCall => {
    const call = new TestCall(began, waitForReady, pickInfo);
    core.enqueue(call);
    return call;
  };
  return { clock, core, states, attempts, attempt, began, enqueue };
}

/** A resolver that the test speaks for. */
function scriptResolver() {
  const resolutions: { listener: ResolverListener; requests: number; isClosed: boolean }[] = [];
  const factory: ResolverFactory = {
    scheme: "scripted",
    create(_target, listener) {
      const resolution = { listener, requests: 0, isClosed: false };
      resolutions.push(resolution);
      return {
        resolveNow() {
          resolution.requests += 1;
        },
        close() {
          resolution.isClosed = true;
        },
      };
    },
  };
  const resolution = (index: number) => resolutions[index] ?? assert.fail(`there was no resolution ${index}`);
  return { factory, resolutions, resolution };
}

function endpointsOf(...hosts: string[]) {
  return { endpoints: hosts.map((host) => ({ addresses: [{ host, port: 1 }] })) };
}

test("does nothing before the first call", async () => {
  const { clock, core, attempts } = setUp();
  assert.equal(core.state, "idle");
  assert.equal(core.tryPick(), undefined);
  await clock.advance(1_000_000);
  assert.equal(attempts.length, 0);
  assert.equal(clock.pendingTimers, 0);
});

test("tells a call that the name it waited for is resolved, once and before anything else, in each time between idle modes", async () => {
  const { factory, resolution } = scriptResolver();
  const { clock, core, attempts, attempt, enqueue } = setUp(
    { resolvers: [factory], idleTimeoutMs: 1000 },
    "scripted:x",
  );
  const [first, second] = [enqueue(), enqueue()];
  assert.equal(first.resolutionEnds, 0);
  resolution(0).listener.onResult(endpointsOf("a"));
  const late = enqueue();
  resolution(0).listener.onResult(endpointsOf("a"));
  const connection = await attempt(0).succeed();
  assert.deepEqual(
    [first, second, late].map(({ connection, resolutionEnds }) => [connection, resolutionEnds]),
    [
      [connection, 1],
      [connection, 1],
      [connection, 0],
    ],
  );

  for (let calls = 3; calls > 0; calls--) connection.endCall();
  await clock.advance(1000);
  assert.equal(core.state, "idle");
  const again = enqueue();
  resolution(1).listener.onResult(endpointsOf("a"));
  assert.equal(again.resolutionEnds, 1);
  await (attempts[1] ?? assert.fail()).succeed();
  await core.close(0);
});

test("tells a call that its name cannot be resolved before it fails, and one that waits for ready as well", async () => {
  const { factory, resolution } = scriptResolver();
  const { core, enqueue } = setUp({ resolvers: [factory] }, "scripted:x");
  const [failing, patient] = [enqueue(), enqueue(true)];
  resolution(0).listener.onError(new ConnectError("no such name", Code.Unavailable));
  assert.equal(failing.error?.code, Code.Unavailable);
  resolution(0).listener.onError(new ConnectError("no such name", Code.Unavailable));
  assert.deepEqual([failing.resolutionEnds, patient.resolutionEnds, patient.error], [1, 1, undefined]);
  await core.close(0);
});

test("tells no one of a name that is resolved at once", async () => {
  const { core, attempt, enqueue } = setUp();
  const call = enqueue();
  await attempt(0).succeed();
  assert.equal(call.resolutionEnds, 0);
  await core.close(0);
});

test("connects with the first call, which waits for it, and offers the connection to the next", async () => {
  const { core, states, attempt, enqueue } = setUp();
  const call = enqueue();
  assert.equal(core.state, "connecting");
  assert.equal(call.connection, undefined);
  const connection = await attempt(0).succeed();
  assert.equal(call.connection, connection);
  assert.equal(core.tryPick()?.subchannel.connection, connection);
  assert.deepEqual(states, ["connecting", "ready"]);
  await core.close(0);
});

test("connects without a call when told to", async () => {
  const { core, attempt, attempts } = setUp();
  core.connect();
  core.connect();
  const connection = await attempt(0).succeed();
  assert.equal(core.state, "ready");
  connection.lose(undefined);
  assert.equal(core.state, "idle");
  assert.equal(attempts.length, 1);
  core.connect();
  assert.equal(attempts.length, 2);
  await core.close();
});

test("serves waiting calls in the order in which they came, as places become free", async () => {
  const { core, attempt, began, enqueue } = setUp();
  const calls = Array.from({ length: 5 }, () => enqueue());
  const connection = await attempt(0).succeed(2);
  assert.deepEqual(began, calls.slice(0, 2));
  connection.endCall();
  assert.deepEqual(began, calls.slice(0, 3));
  connection.allow(4);
  assert.deepEqual(began, calls);
  await core.close(0);
});

test("lets no call overtake those that wait", async () => {
  const { core, attempt, enqueue, began } = setUp();
  const first = enqueue();
  const connection = await attempt(0).succeed(1);
  const second = enqueue();
  // A place becomes free and no one has said so yet.
  connection.maxCalls = 2;
  assert.equal(core.tryPick(), undefined);
  const third = enqueue();
  assert.deepEqual(began, [first, second]);
  assert.equal(third.connection, undefined);
  await core.close(0);
});

test("a full connection makes calls wait, not fail", async () => {
  const { core, attempt, enqueue } = setUp();
  enqueue();
  const connection = await attempt(0).succeed(1);
  assert.equal(core.tryPick(), undefined);
  const waiting = enqueue();
  assert.equal(waiting.error, undefined);
  assert.match(
    core.describeWait(),
    /^waiting for a connection to "ipv4:.*127\.0\.0\.1:1 has reached its limit .*\(1 are open\)$/,
  );
  connection.endCall();
  assert.equal(waiting.connection, connection);
  await core.close(0);
});

test("serves a thousand waiting calls through ten places in order", async () => {
  const { core, attempt, began, enqueue } = setUp();
  const calls = Array.from({ length: 1000 }, () => enqueue());
  const connection = await attempt(0).succeed(10);
  while (connection.openCalls > 0) connection.endCall();
  assert.deepEqual(began, calls);
  await core.close();
});

test("fails calls at once while it cannot connect, and says why", async () => {
  const { clock, core, attempt, enqueue } = setUp();
  const waiting = enqueue();
  await attempt(0).fail("connect ECONNREFUSED 127.0.0.1:1");
  const late = enqueue();
  for (const { error } of [waiting, late]) {
    assert.equal(error?.code, Code.Unavailable);
    assert.equal(
      error?.rawMessage,
      'no connection to "ipv4:127.0.0.1:1": 127.0.0.1:1: connect ECONNREFUSED 127.0.0.1:1 (attempt 1, next in 1.0 s)',
    );
  }
  assert.notEqual(waiting.error, late.error);
  assert.equal(core.state, "transient_failure");
  assert.equal(clock.holdingTimers, 0);
  await core.close();
});

test("keeps calls that wait for ready through failures, in order", async () => {
  const { clock, core, attempt, began, enqueue } = setUp();
  const patient = [enqueue(true), enqueue(true)];
  const impatient = enqueue();
  await attempt(0).fail("refused");
  assert.ok(impatient.error);
  patient.push(enqueue(true));
  assert.match(core.describeWait(), /127\.0\.0\.1:1: refused \(attempt 1, next in 1\.0 s\)/);
  await clock.advance(1000);
  await attempt(1).fail("refused");
  await clock.advance(1600);
  await attempt(2).succeed();
  assert.deepEqual(began, patient);
  await core.close(0);
});

test("keeps the process alive exactly while a call waits", async () => {
  const { clock, core, attempt, enqueue } = setUp();
  const [first, second] = [enqueue(true), enqueue()];
  assert.equal(clock.holdingTimers, 1);
  core.remove(second);
  assert.equal(clock.holdingTimers, 1);
  await attempt(0).fail("refused");
  assert.equal(clock.holdingTimers, 1);
  await clock.advance(1000);
  const connection = await attempt(1).succeed(1);
  assert.equal(first.connection, connection);
  assert.equal(clock.holdingTimers, 0);
  const third = enqueue();
  assert.equal(clock.holdingTimers, 1);
  core.remove(third);
  assert.equal(clock.holdingTimers, 0);
  await core.close(0);
  assert.equal(clock.pendingTimers, 0);
});

test("holds the process for a call that waits longer than a timer can run", async () => {
  const { clock, core, enqueue } = setUp({ idleTimeoutMs: 0 });
  enqueue();
  await clock.advance(2 ** 32);
  assert.equal(clock.holdingTimers, 1);
  await core.close();
});

test("forgets a removed call and leaves the others in place", async () => {
  const { core, attempt, began, enqueue } = setUp();
  const calls = Array.from({ length: 5 }, () => enqueue());
  for (const index of [0, 2, 4]) core.remove(calls[index] ?? assert.fail());
  core.remove(calls[2] ?? assert.fail());
  core.remove(new TestCall());
  await attempt(0).succeed();
  assert.deepEqual(began, [calls[1], calls[3]]);
  assert.equal(calls[1]?.queue, undefined);
  assert.equal(calls[1]?.nextWaiter, undefined);
  await core.close(0);
});

test("survives calls that remove others and begin more while they are served", async () => {
  const { core, attempt, began, enqueue } = setUp();
  const [first, second, third] = [enqueue(), enqueue(), enqueue()];
  let added: TestCall | undefined;
  first.onOver = () => {
    core.remove(second);
    assert.equal(core.tryPick(), undefined);
    added = enqueue();
    assert.equal(added.connection, undefined, "those that waited come first");
  };
  await attempt(0).succeed();
  assert.deepEqual(began, [first, third, added]);
  assert.equal(second.connection, undefined);
  await core.close(0);
});

test("survives calls that close it while they fail", async () => {
  const { clock, core, attempt, enqueue } = setUp();
  const [first, second] = [enqueue(), enqueue()];
  let closed: Promise<void> | undefined;
  first.onOver = () => {
    closed = core.close();
    enqueue();
  };
  await attempt(0).fail("refused");
  assert.equal(first.error?.code, Code.Unavailable);
  assert.equal(second.error?.code, Code.Canceled);
  await closed;
  assert.equal(clock.pendingTimers, 0);
});

test("after GOAWAY new calls go to a new connection while the old one's calls go on", async () => {
  const { core, states, attempt, enqueue } = setUp();
  const call = enqueue();
  const old = await attempt(0).succeed();
  old.goaway();
  assert.ok(!old.isClosed);
  assert.equal(core.state, "connecting");
  assert.equal(core.tryPick(), undefined);
  const next = enqueue();
  const fresh = await attempt(1).succeed();
  assert.equal(next.connection, fresh);
  assert.equal(call.connection, old);
  assert.equal(old.openCalls, 1);
  old.endCall();
  assert.ok(old.isClosed);
  assert.equal(core.tryPick()?.subchannel.connection, fresh);
  assert.deepEqual(states, ["connecting", "ready", "connecting", "ready"]);
  await core.close(0);
});

test("connects again at once when calls still wait as the connection ends", async () => {
  const { core, states, attempt, enqueue } = setUp();
  enqueue();
  const waiting = enqueue();
  const old = await attempt(0).succeed(1);
  old.goaway();
  const fresh = await attempt(1).succeed();
  assert.equal(waiting.connection, fresh);
  assert.deepEqual(states, ["connecting", "ready", "connecting", "ready"]);
  await core.close(0);
});

test("connects again when a call finds the stream identifiers used up", async () => {
  const { core, attempt, enqueue } = setUp();
  enqueue();
  const spent = await attempt(0).succeed();
  spent.isAcceptingCalls = false;
  assert.equal(core.tryPick(), undefined);
  const next = enqueue();
  const fresh = await attempt(1).succeed();
  assert.equal(next.connection, fresh);
  assert.ok(spent.isDraining && !spent.isClosed);
  await core.close(0);
});

test("gives up its connection after 30 minutes without a call and comes back with the next", async () => {
  const { clock, core, states, attempt, enqueue } = setUp();
  core.callStarted();
  enqueue();
  const connection = await attempt(0).succeed();
  await clock.advance(100 * 60_000);
  assert.equal(core.state, "ready", "an open call is no idleness");
  connection.endCall();
  core.callEnded(undefined);
  await clock.advance(30 * 60_000 - 1);
  assert.equal(core.state, "ready");
  await clock.advance(1);
  assert.equal(core.state, "idle");
  assert.ok(connection.isClosed);
  assert.equal(clock.pendingTimers, 0);

  const next = enqueue();
  const fresh = await attempt(1).succeed();
  assert.equal(next.connection, fresh);
  assert.deepEqual(states, ["connecting", "ready", "idle", "connecting", "ready"]);
  await core.close(0);
});

test("counts the time without calls from the end of the last one", async () => {
  const { clock, core, attempt } = setUp({ idleTimeoutMs: 1000 });
  core.connect();
  await attempt(0).succeed();
  await clock.advance(700);
  core.callStarted();
  core.callStarted();
  core.callEnded(undefined);
  await clock.advance(700);
  core.callEnded(undefined);
  await clock.advance(999);
  assert.equal(core.state, "ready");
  await clock.advance(1);
  assert.equal(core.state, "idle");
});

test("does not go idle while a call waits, counted or not", async () => {
  const { clock, core, enqueue } = setUp({ idleTimeoutMs: 1000 });
  const call = enqueue();
  await clock.advance(10_000);
  assert.equal(core.state, "connecting");
  core.remove(call);
  await clock.advance(1000);
  assert.equal(core.state, "idle");
  assert.equal(clock.pendingTimers, 0);
});

test("never goes idle when idle mode is off", async () => {
  for (const idleTimeoutMs of [0, Number.POSITIVE_INFINITY]) {
    const { clock, core, attempt } = setUp({ idleTimeoutMs });
    core.connect();
    await attempt(0).succeed();
    assert.equal(clock.pendingTimers, 0);
    assert.equal(core.state, "ready");
  }
});

test("ends resolver and attempts in idle mode and begins both again after it", async () => {
  const { factory, resolution, resolutions } = scriptResolver();
  const opened = setUp({ resolvers: [factory], idleTimeoutMs: 1000 }, "scripted:x");
  const { clock, core, attempt, attempts } = opened;
  core.connect();
  assert.ok(resolution(0).listener.onResult(endpointsOf("a")));
  await clock.advance(1000);
  assert.equal(core.state, "idle");
  assert.ok(resolution(0).isClosed);
  assert.ok(attempt(0).options.signal.aborted);
  resolution(0).listener.onResult(endpointsOf("b"));
  assert.equal(attempts.length, 1);
  assert.equal(core.state, "idle");
  core.connect();
  assert.equal(resolutions.length, 2);
  await core.close();
  assert.ok(resolution(1).isClosed);
});

test("calls wait while the name is resolved and fail when it cannot be", async () => {
  const { factory, resolution } = scriptResolver();
  const { core, attempts, enqueue } = setUp({ resolvers: [factory] }, "scripted:x");
  const [call, patient] = [enqueue(), enqueue(true)];
  assert.match(core.describeWait(), /"scripted:x": resolving the name$/);
  assert.equal(resolution(0).listener.onResult(endpointsOf()), false);
  assert.match(call.error?.rawMessage ?? "", /^no connection to "scripted:x": the name resolves to no address$/);
  assert.equal(patient.error, undefined);
  resolution(0).listener.onResult(endpointsOf("a"));
  assert.equal(attempts.length, 1);
  await core.close();
});

test("asks the resolver again when the connection is lost", async () => {
  const { factory, resolution } = scriptResolver();
  const { core, attempt } = setUp({ resolvers: [factory] }, "scripted:x");
  core.connect();
  resolution(0).listener.onResult(endpointsOf("a"));
  (await attempt(0).succeed()).lose(new Error("read ECONNRESET"));
  assert.equal(resolution(0).requests, 1);
  await core.close();
});

test("fails calls with what a resolver throws", async () => {
  const factory: ResolverFactory = {
    scheme: "broken",
    create() {
      throw new Error("no registry configured");
    },
  };
  const { core, enqueue } = setUp({ resolvers: [factory] }, "broken:x");
  const call = enqueue();
  assert.equal(call.error?.code, Code.Unavailable);
  assert.equal(call.error?.rawMessage, 'cannot resolve "broken:x": no registry configured');
  await core.close();
});

test("closes a resolver that made the channel close while it was created", async () => {
  let isClosed = false;
  const factory: ResolverFactory = {
    scheme: "eager",
    create(_target, listener) {
      listener.onResult({ endpoints: [] });
      return {
        resolveNow() {},
        close() {
          isClosed = true;
        },
      };
    },
  };
  const balancer: BalancerFactory = {
    policyName: "closing",
    create: () => ({
      update() {
        opened.core.close();
        return true;
      },
      onResolverError() {},
      exitIdle() {},
      close() {},
    }),
  };
  const opened = setUp({ resolvers: [factory], balancer }, "eager:x");
  const call = opened.enqueue();
  assert.ok(isClosed);
  assert.equal(call.error?.code, Code.Canceled);
});

test("refuses a target whose scheme no resolver knows, and options out of range", () => {
  const { connect } = scriptConnect();
  assert.throws(() => new ChannelCore(parseTarget("x:y", { schemes: ["x"] }), connect), /no resolver for target "x:y"/);
  const target = parseTarget("a:1");
  assert.throws(() => new ChannelCore(target, connect, { idleTimeoutMs: -1 }), RangeError);
  assert.throws(() => new ChannelCore(target, connect, { idleTimeoutMs: Number.NaN }), RangeError);
  assert.throws(() => new ChannelCore(target, connect, { backoff: { multiplier: 0 } }), RangeError);
});

test("cancels waiting and later calls on close and lets open ones end", async () => {
  const { clock, core, states, attempt, enqueue } = setUp();
  enqueue();
  const waiting = enqueue(true);
  const connection = await attempt(0).succeed(1);
  let isOver = false;
  const closed = core.close().then(() => {
    isOver = true;
  });
  assert.equal(core.state, "shutdown");
  const late = enqueue();
  for (const { error } of [waiting, late]) {
    assert.equal(error?.code, Code.Canceled);
    assert.equal(error?.rawMessage, 'the channel to "ipv4:127.0.0.1:1" is closed');
  }
  assert.equal(core.tryPick(), undefined);
  core.connect();
  await clock.advance(29_999);
  assert.ok(!isOver && !connection.isClosed);
  connection.endCall();
  await closed;
  assert.ok(connection.isClosed);
  assert.equal(clock.pendingTimers, 0);
  assert.deepEqual(states, ["connecting", "ready", "shutdown"]);
});

test("waits on close for calls of connections it has long replaced", async () => {
  const { core, attempt, enqueue } = setUp();
  enqueue();
  const old = await attempt(0).succeed();
  old.goaway();
  let isOver = false;
  const closed = core.close().then(() => {
    isOver = true;
  });
  await promisesSettled();
  assert.ok(!isOver);
  old.endCall();
  await closed;
});

test("fails open calls when the deadline of a close has passed", async () => {
  const { clock, core, attempt, enqueue } = setUp();
  enqueue();
  const connection = await attempt(0).succeed();
  const closed = core.close(5000);
  assert.equal(clock.holdingTimers, 1);
  await clock.advance(4999);
  assert.ok(!connection.isClosed);
  await clock.advance(1);
  assert.ok(connection.isClosed);
  await closed;
});

test("leaves no timer when all calls end within the deadline, and a second close may shorten it", async () => {
  const early = setUp();
  early.enqueue();
  const connection = await early.attempt(0).succeed();
  const closed = early.core.close(5000);
  connection.endCall();
  await closed;
  assert.equal(early.clock.pendingTimers, 0);

  const impatient = setUp();
  impatient.enqueue();
  await impatient.attempt(0).succeed();
  const patientClose = impatient.core.close();
  await impatient.core.close(0);
  await patientClose;
});

test("closes while connecting and while failing without leaving anything", async () => {
  const connecting = setUp();
  connecting.enqueue();
  await connecting.core.close();
  assert.ok(connecting.attempt(0).options.signal.aborted);
  const late = await connecting.attempt(0).succeed();
  assert.ok(late.isClosed);

  const failing = setUp();
  const patient = failing.enqueue(true);
  await failing.attempt(0).fail("refused");
  await failing.core.close();
  assert.equal(patient.error?.code, Code.Canceled);

  const idle = setUp();
  await idle.core.close();
  for (const { clock } of [connecting, failing, idle]) assert.equal(clock.pendingTimers, 0);
});

test("tells watchers each state in order until they leave", async () => {
  const { core, attempt, states } = setUp();
  const seen: string[] = [];
  const leave = core.watchState((state) => {
    seen.push(state);
    if (state === "ready") leave();
  });
  core.connect();
  assert.deepEqual(seen, [], "watchers are told apart from the channel's own work");
  (await attempt(0).succeed()).lose(undefined);
  await promisesSettled();
  assert.deepEqual(seen, ["connecting", "ready"]);
  assert.deepEqual(states, ["connecting", "ready", "idle"]);
  await core.close();
});

/** A balancer that the test speaks for. */
function scriptBalancer(): { factory: BalancerFactory; host: () => BalancerHost } {
  let made: BalancerHost | undefined;
  return {
    factory: {
      policyName: "scripted",
      create(host) {
        made = host;
        return { update: () => true, onResolverError() {}, exitIdle() {}, close() {} };
      },
    },
    host: () => made ?? assert.fail("there is no balancer yet"),
  };
}

test("drops calls that wait for ready when the picker says so", async () => {
  const { factory, host } = scriptBalancer();
  const { core, enqueue } = setUp({ balancer: factory });
  const waiting = enqueue(true);
  const createError = () => new ConnectError("shed", Code.Unavailable);
  host().updateState("ready", {
    dependsOnCall: false,
    pick: () => ({ kind: "drop", createError }),
    describe: () => "",
  });
  const late = enqueue(true);
  assert.equal(waiting.error?.rawMessage, "shed");
  assert.equal(late.error?.rawMessage, "shed");
  await core.close();
});

test("tries every waiting call when the picker looks at calls, and passes on what it looks at", async () => {
  const { factory, host } = scriptBalancer();
  const { core, attempt, began, enqueue } = setUp({ balancer: factory });
  core.connect();
  const subchannels = new Map(
    ["/s/A", "/s/B"].map((path) => [path, host().createSubchannel({ host: path, port: 1 }, () => {})]),
  );
  for (const subchannel of subchannels.values()) subchannel.connect();
  const [a, b] = [await attempt(0).succeed(1), await attempt(1).succeed(2)];
  const queued: PickResult = { kind: "queue" };
  host().updateState("ready", {
    dependsOnCall: true,
    pick: (info) => {
      const subchannel = subchannels.get(info?.methodPath ?? "");
      return subchannel === undefined ? queued : { kind: "complete", subchannel };
    },
    describe: () => "scripted",
  });
  const info = (methodPath: string): PickInfo => ({ methodPath, header: new Headers() });
  const calls = ["/s/A", "/s/A", "/s/C", "/s/B"].map((path) => enqueue(false, info(path)));
  assert.deepEqual(
    calls.map(({ connection }) => connection),
    [a, undefined, undefined, b],
  );
  assert.equal(core.tryPick(info("/s/B"))?.subchannel.connection, b);
  assert.equal(core.tryPick(info("/s/A")), undefined);
  a.endCall();
  assert.deepEqual(began, [calls[0], calls[3], calls[1]]);
  await core.close(0);
});

test("ignores what a closed balancer still reports", async () => {
  const { factory, host } = scriptBalancer();
  const { core } = setUp({ balancer: factory });
  core.connect();
  const old = host();
  await core.close();
  old.updateState("ready", { dependsOnCall: false, pick: () => ({ kind: "queue" }), describe: () => "" });
  old.requestResolution();
  assert.equal(core.state, "shutdown");
});

test("the call behind the peer's stream limit does not wait for one to end: another connection is made", async () => {
  const { core, attempt, enqueue } = setUp();
  const first = enqueue();
  const connection = await attempt(0).succeed(100);
  while (connection.canStartCall) enqueue();
  const next = enqueue();
  assert.equal(next.connection, undefined);
  const second = await attempt(1).succeed(100);
  assert.equal(next.connection, second);
  assert.equal(first.connection, connection);
  assert.equal(connection.openCalls, 100);
  assert.equal(core.tryPick()?.subchannel.connection, second);
  connection.endCall();
  assert.equal(core.tryPick()?.subchannel.connection, connection, "the oldest with a place goes first");
  await core.close(0);
});
