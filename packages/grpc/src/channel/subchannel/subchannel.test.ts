import assert from "node:assert/strict";
import { test } from "node:test";
import { createFakeClock, promisesSettled } from "../../time/fake-clock.ts";
import type { Connect } from "../../transport/client/client-connection.ts";
import { createBackoff } from "../retry/backoff.ts";
import { scriptConnect } from "../testing/scripted-connect.ts";
import type { Subchannel } from "./index.ts";
import { createSubchannel } from "./subchannel.ts";

interface Settings {
  connectTimeoutMs?: number;
  connect?: Connect;
  maxConnections?: () => number;
  onReport?: (state: string) => void;
}

function setUp(settings: Settings = {}) {
  const clock = createFakeClock();
  const { connect, attempts } = scriptConnect();
  const states: string[] = [];
  let capacityEvents = 0;
  const subchannel: Subchannel = createSubchannel(
    { host: "127.0.0.1", port: 1 },
    {
      connect: settings.connect ?? connect,
      clock,
      backoff: createBackoff({ random: () => 0.5 }),
      onCapacity: () => {
        capacityEvents += 1;
      },
      ...(settings.maxConnections !== undefined && { maxConnections: settings.maxConnections }),
      ...(settings.connectTimeoutMs !== undefined && { connectTimeoutMs: settings.connectTimeoutMs }),
    },
    (state) => {
      states.push(state);
      settings.onReport?.(state);
    },
  );
  const attempt = (index: number) => attempts[index] ?? assert.fail(`there was no attempt ${index}`);
  return { clock, subchannel, states, attempts, attempt, capacityEvents: () => capacityEvents };
}

test("does nothing until it is asked to connect", async () => {
  const { clock, subchannel, attempts } = setUp();
  await clock.advance(1_000_000);
  assert.equal(subchannel.state, "idle");
  assert.equal(attempts.length, 0);
  assert.equal(clock.pendingTimers, 0);
});

test("connects once however often it is asked", async () => {
  const { subchannel, states, attempts, attempt } = setUp();
  subchannel.connect();
  subchannel.connect();
  assert.equal(subchannel.state, "connecting");
  assert.equal(subchannel.connection, undefined);
  const connection = await attempt(0).succeed();
  subchannel.connect();
  assert.equal(attempts.length, 1);
  assert.equal(subchannel.connection, connection);
  assert.deepEqual(states, ["connecting", "ready"]);
});

test("pauses after a failure, counted from the attempt's start, and connects again only when asked", async () => {
  const { clock, subchannel, states, attempts, attempt } = setUp();
  subchannel.connect();
  await clock.advance(400);
  await attempt(0).fail("refused");
  assert.equal(subchannel.state, "transient_failure");
  assert.equal(subchannel.lastError?.message, "refused");
  assert.equal(subchannel.failedAttempts, 1);
  assert.equal(subchannel.nextAttemptInMs, 600);
  subchannel.connect();
  await clock.advance(599);
  assert.equal(subchannel.state, "transient_failure");
  await clock.advance(1);
  assert.equal(subchannel.state, "idle");
  assert.equal(subchannel.nextAttemptInMs, 0);
  assert.equal(attempts.length, 1);
  assert.equal(clock.pendingTimers, 0);
  assert.deepEqual(states, ["connecting", "transient_failure", "idle"]);
});

test("pauses longer with each failure in a row and starts over after a success", async () => {
  const { clock, subchannel, attempts, attempt } = setUp();
  const pauses: number[] = [];
  for (let i = 0; i < 4; i += 1) {
    subchannel.connect();
    await attempt(i).fail("refused");
    pauses.push(Math.round(subchannel.nextAttemptInMs));
    await clock.advance(subchannel.nextAttemptInMs);
  }
  assert.deepEqual(pauses, [1000, 1600, 2560, 4096]);
  subchannel.connect();
  const connection = await attempt(4).succeed();
  assert.equal(subchannel.failedAttempts, 0);
  assert.equal(subchannel.lastError, undefined);
  connection.lose(undefined);
  subchannel.connect();
  await attempt(5).fail("refused");
  assert.equal(subchannel.nextAttemptInMs, 1000);
  assert.equal(attempts.length, 6);
});

test("has no pause left after an attempt that failed slowly", async () => {
  const { clock, subchannel, states, attempt } = setUp();
  subchannel.connect();
  await clock.advance(20_000);
  await attempt(0).fail("timed out");
  assert.equal(subchannel.nextAttemptInMs, 0);
  await clock.advance(0);
  assert.deepEqual(states, ["connecting", "transient_failure", "idle"]);
});

test("gives an attempt 20 seconds, or as long as the pause that follows it", async () => {
  const { clock, subchannel, attempt } = setUp();
  for (let i = 0; i < 8; i += 1) {
    subchannel.connect();
    await attempt(i).fail("refused");
    await clock.advance(subchannel.nextAttemptInMs);
  }
  assert.equal(attempt(0).options.connectTimeoutMs, 20_000);
  assert.equal(attempt(6).options.connectTimeoutMs, 20_000);
  assert.equal(Math.round(attempt(7).options.connectTimeoutMs), 26_844);
  const { subchannel: quick, attempt: quickAttempt } = setUp({ connectTimeoutMs: 5000 });
  quick.connect();
  assert.equal(quickAttempt(0).options.connectTimeoutMs, 5000);
});

test("takes a connect that throws at once for a failed attempt", async () => {
  const { subchannel } = setUp({
    connect: () => {
      throw new Error("bad option");
    },
  });
  subchannel.connect();
  await promisesSettled();
  assert.equal(subchannel.state, "transient_failure");
  assert.equal(subchannel.lastError?.message, "bad option");
});

test("goes idle at once on GOAWAY and lets the old connection's calls end", async () => {
  const { subchannel, states, attempts, attempt } = setUp();
  subchannel.connect();
  const old = await attempt(0).succeed();
  old.startCall();
  old.goaway(11, "too_many_pings");
  assert.equal(subchannel.state, "idle");
  assert.equal(subchannel.connection, undefined);
  assert.equal(subchannel.lastError?.message, 'the server sent GOAWAY with error code 11 "too_many_pings"');
  assert.ok(old.isDraining && !old.isClosed);

  subchannel.connect();
  const fresh = await attempt(1).succeed();
  old.endCall();
  assert.ok(old.isClosed);
  assert.equal(subchannel.connection, fresh);
  assert.deepEqual(states, ["connecting", "ready", "idle", "connecting", "ready"]);
  assert.equal(attempts.length, 2);
});

test("quotes and cuts the text of a GOAWAY", async () => {
  const { subchannel, attempt } = setUp();
  subchannel.connect();
  (await attempt(0).succeed()).goaway(0, `\n${"x".repeat(1000)}`);
  assert.equal(
    subchannel.lastError?.message,
    `the server sent GOAWAY with error code 0 ${JSON.stringify(`\n${"x".repeat(199)}`)}`,
  );
});

test("goes idle when the connection is lost", async () => {
  const { subchannel, states, attempt } = setUp();
  subchannel.connect();
  (await attempt(0).succeed()).lose(new Error("read ECONNRESET"));
  assert.equal(subchannel.lastError?.message, "read ECONNRESET");
  assert.deepEqual(states, ["connecting", "ready", "idle"]);
});

test("takes a connection that ended before it was heard of for a failed attempt", async () => {
  for (const end of ["goaway", "lose", "silent"] as const) {
    const { subchannel, states, attempt } = setUp();
    subchannel.connect();
    const connection = attempt(0).succeedUnheard();
    if (end === "goaway") connection.goaway(0, "");
    else if (end === "lose") connection.lose(new Error("read ECONNRESET"));
    else connection.isAcceptingCalls = false;
    await promisesSettled();
    assert.deepEqual(states, ["connecting", "transient_failure"], end);
    assert.equal(subchannel.failedAttempts, 1);
    assert.ok(connection.isClosed);
  }
});

test("drops a connection whose stream identifiers are used up, when asked and when a call ends", async () => {
  const { subchannel, states, attempt, capacityEvents } = setUp();
  for (const notice of ["asked", "call ended"] as const) {
    states.length = 0;
    subchannel.connect();
    const connection = await attempt(notice === "asked" ? 0 : 1).succeed();
    connection.startCall();
    connection.startCall();
    subchannel.ensureCapacity();
    assert.equal(subchannel.state, "ready");
    connection.isAcceptingCalls = false;
    if (notice === "asked") subchannel.ensureCapacity();
    else connection.endCall();
    assert.deepEqual(states, ["connecting", "ready", "idle"]);
    assert.ok(connection.isDraining);
  }
  assert.equal(capacityEvents(), 0);
});

test("passes on that a place became free, but not of a connection it has let go", async () => {
  const { subchannel, attempt, capacityEvents } = setUp();
  subchannel.connect();
  const connection = await attempt(0).succeed();
  connection.startCall();
  connection.startCall();
  connection.endCall();
  assert.equal(capacityEvents(), 1);
  connection.goaway();
  connection.endCall();
  assert.equal(capacityEvents(), 1);
});

test("shuts down from every state without a word, leaving no timer and no attempt", async () => {
  const idle = setUp();
  idle.subchannel.shutdown();

  const connecting = setUp();
  connecting.subchannel.connect();
  connecting.subchannel.shutdown();
  assert.ok(connecting.attempt(0).options.signal.aborted);
  const late = await connecting.attempt(0).succeed();
  assert.ok(late.isClosed);

  const failing = setUp();
  failing.subchannel.connect();
  await failing.attempt(0).fail("refused");
  assert.equal(failing.clock.pendingTimers, 1);
  failing.subchannel.shutdown();

  const ready = setUp();
  ready.subchannel.connect();
  const connection = await ready.attempt(0).succeed();
  connection.startCall();
  ready.subchannel.shutdown();
  assert.ok(connection.isDraining && !connection.isClosed);
  assert.ok(!ready.attempt(0).options.signal.aborted);
  connection.endCall();

  for (const { subchannel, states, clock, attempts } of [idle, connecting, failing, ready]) {
    const heard = states.length;
    subchannel.connect();
    subchannel.shutdown();
    await clock.advance(1_000_000);
    assert.equal(subchannel.state, "shutdown");
    assert.equal(subchannel.connection, undefined);
    assert.equal(states.length, heard);
    assert.ok(attempts.length <= 1);
    assert.equal(clock.pendingTimers, 0);
  }
});

test("may be shut down from within its own report", async () => {
  for (const when of ["connecting", "ready", "transient_failure", "idle"]) {
    const { clock, subchannel, states, attempt } = setUp({
      onReport: (state) => {
        if (state === when) subchannel.shutdown();
      },
    });
    subchannel.connect();
    if (when === "ready") await attempt(0).succeed();
    else await attempt(0).fail("refused");
    await clock.advance(10_000);
    assert.equal(subchannel.state, "shutdown", when);
    assert.equal(states.at(-1), when);
    assert.equal(clock.pendingTimers, 0);
  }
});

/** A subchannel whose connections are full; each has one place. */
async function setUpFull(connections: number, settings: Settings = {}) {
  const setup = setUp(settings);
  setup.subchannel.connect();
  const made = [];
  for (let i = 0; i < connections; i += 1) {
    if (i > 0) setup.subchannel.ensureCapacity();
    const connection = await setup.attempt(i).succeed(1);
    connection.startCall();
    made.push(connection);
  }
  return { ...setup, made };
}

test("makes a further connection when all are full, one attempt at a time", async () => {
  const { subchannel, states, attempts, attempt, made, capacityEvents } = await setUpFull(1);
  subchannel.ensureCapacity();
  subchannel.ensureCapacity();
  assert.equal(attempts.length, 2);
  assert.equal(subchannel.connection, made[0]);
  const second = await attempt(1).succeed(1);
  assert.equal(capacityEvents(), 1);
  assert.equal(subchannel.connection, second);
  assert.equal(subchannel.connectionCount, 2);
  made[0]?.endCall();
  assert.equal(subchannel.connection, made[0], "the oldest that has a place");
  assert.deepEqual(states, ["connecting", "ready"]);
});

test("makes no further connection while one has a place", async () => {
  const { subchannel, attempts, attempt } = setUp();
  subchannel.connect();
  const connection = await attempt(0).succeed(2);
  connection.startCall();
  subchannel.ensureCapacity();
  assert.equal(attempts.length, 1);
});

test("makes no further connection to a server that allows no calls at all", async () => {
  const { subchannel, attempts, attempt } = setUp();
  subchannel.connect();
  await attempt(0).succeed(0);
  subchannel.ensureCapacity();
  assert.equal(attempts.length, 1);
});

test("makes at most ten connections, or as many as it is told at the time", async () => {
  const byDefault = await setUpFull(10);
  byDefault.subchannel.ensureCapacity();
  assert.equal(byDefault.attempts.length, 10);

  let max = 1;
  const told = await setUpFull(1, { maxConnections: () => max });
  told.subchannel.ensureCapacity();
  assert.equal(told.attempts.length, 1);
  max = 2;
  told.subchannel.ensureCapacity();
  assert.equal(told.attempts.length, 2);
});

test("stays ready when a further connection fails, pauses, and then lets waiting calls ask again", async () => {
  const { clock, subchannel, states, attempts, attempt, capacityEvents } = await setUpFull(1);
  subchannel.ensureCapacity();
  await attempt(1).fail("refused");
  subchannel.ensureCapacity();
  assert.equal(attempts.length, 2);
  assert.equal(subchannel.lastError, undefined);
  assert.deepEqual(states, ["connecting", "ready"]);
  await clock.advance(1000);
  assert.equal(capacityEvents(), 1);
  subchannel.ensureCapacity();
  assert.equal(attempts.length, 3);
});

test("is connecting when its only connection ends while a further one is under way", async () => {
  const { subchannel, states, attempt, made } = await setUpFull(1);
  subchannel.ensureCapacity();
  made[0]?.lose(new Error("read ECONNRESET"));
  assert.equal(subchannel.connection, undefined);
  const next = await attempt(1).succeed();
  assert.equal(subchannel.connection, next);
  assert.deepEqual(states, ["connecting", "ready", "connecting", "ready"]);
});

test("is failing when its only connection ends in the pause after a further one failed", async () => {
  const { clock, subchannel, states, attempt, made } = await setUpFull(1);
  subchannel.ensureCapacity();
  await attempt(1).fail("refused");
  made[0]?.lose(new Error("read ECONNRESET"));
  assert.equal(subchannel.lastError?.message, "read ECONNRESET");
  await clock.advance(1000);
  assert.deepEqual(states, ["connecting", "ready", "transient_failure", "idle"]);
});

test("goes on with the other connections when one ends, and tells waiting calls", async () => {
  const { subchannel, states, made, capacityEvents } = await setUpFull(2);
  const before = capacityEvents();
  made[0]?.goaway(0, "max_age");
  assert.equal(subchannel.state, "ready");
  assert.equal(subchannel.connection, made[1]);
  assert.equal(capacityEvents(), before + 1);
  made[1]?.lose(undefined);
  assert.deepEqual(states, ["connecting", "ready", "idle"]);
});

test("shuts down all connections and the attempt at a further one", async () => {
  const { clock, subchannel, attempt, made } = await setUpFull(2);
  subchannel.ensureCapacity();
  subchannel.shutdown();
  assert.ok(made.every(({ isDraining, isClosed }) => isDraining && !isClosed));
  assert.ok(attempt(2).options.signal.aborted);
  assert.equal(subchannel.connection, undefined);
  assert.equal(subchannel.connectionCount, 0);
  assert.equal(clock.pendingTimers, 0);
});

test("pauses, longer and longer, when one connection after the other ends as soon as it stands", async () => {
  const { clock, subchannel, states, attempt } = setUp();
  const pauses: number[] = [];
  for (let i = 0; i < 4; i += 1) {
    subchannel.connect();
    (await attempt(i).succeed()).lose(undefined);
    pauses.push(Math.round(subchannel.nextAttemptInMs));
    await clock.advance(subchannel.nextAttemptInMs);
  }
  assert.deepEqual(pauses, [0, 1000, 1600, 2560], "the first end may be a coincidence");
  states.length = 0;
  subchannel.connect();
  const lasting = await attempt(4).succeed();
  await clock.advance(10_000);
  lasting.lose(undefined);
  assert.deepEqual(states, ["connecting", "ready", "idle"]);
});

test("does not pause behind connections on which calls succeeded, however short they lived", async () => {
  const { subchannel, states, attempt } = setUp();
  for (let i = 0; i < 4; i += 1) {
    subchannel.connect();
    const connection = await attempt(i).succeed();
    if (subchannel.calls !== undefined) subchannel.calls.succeeded += 1;
    connection.goaway(0, "shutdown");
    assert.equal(states.at(-1), "idle");
  }
});

test("says that a connection ended in use: by age, or amid calls without an error", async () => {
  for (const [end, expected] of [
    [{ code: 0, debug: "max_age", calls: 0 }, true],
    [{ code: 0, debug: "", calls: 1 }, true],
    [{ code: 0, debug: "max_idle", calls: 0 }, false],
    [{ code: 11, debug: "max_age", calls: 1 }, false],
  ] as const) {
    const { subchannel, attempt } = setUp();
    subchannel.connect();
    const connection = await attempt(0).succeed();
    for (let i = 0; i < end.calls; i += 1) connection.startCall();
    connection.goaway(end.code, end.debug);
    assert.equal(subchannel.closedWhileActive, expected, JSON.stringify(end));
    subchannel.connect();
    assert.equal(subchannel.closedWhileActive, false);
  }
});
