// What a connection puts up with over its life: pings, age, and peers that take without giving window.
import assert from "node:assert/strict";
import { test } from "node:test";
import { ErrorCode } from "../src/index.ts";
import { createScriptedServer } from "../src/testing/index.ts";
import { ok, patterned, post } from "./example-fields.ts";

const policy = {
  controlFrames: { minPingIntervalMs: 300_000, minIdlePingIntervalMs: 7_200_000 },
  life: { maxIdleMs: 0 },
};

test("ends a connection at the third ping that comes too early", async () => {
  const { peer, clock } = createScriptedServer({ limits: policy });
  await peer.shakeHands();
  peer.sendHeaders(1, post);
  for (let at = 0; at < 3; at++) {
    peer.sendPing();
    assert.equal((await peer.nextOf("PING")).ack, true);
    clock.advance(299_000);
  }
  peer.sendPing();
  await peer.expectGoaway(ErrorCode.enhanceYourCalm, "too_many_pings");
});

test("answers pings that keep their distance for ever", async () => {
  const { peer, clock } = createScriptedServer({ limits: policy });
  await peer.shakeHands();
  peer.sendHeaders(1, post);
  for (let at = 0; at < 20; at++) {
    clock.advance(300_000);
    peer.sendPing();
    assert.equal((await peer.nextOf("PING")).ack, true);
  }
  await peer.expectNothingMore();
});

test("allows a connection without streams fewer pings", async () => {
  const { peer, clock } = createScriptedServer({ limits: policy });
  await peer.shakeHands();
  for (let at = 0; at < 3; at++) {
    peer.sendPing();
    await peer.nextOf("PING");
    clock.advance(300_000);
  }
  peer.sendPing();
  await peer.expectGoaway(ErrorCode.enhanceYourCalm, "too_many_pings");
});

test("forgives pings around data that we send: the peer measures the link", async () => {
  const { peer, events } = createScriptedServer({ limits: policy });
  await peer.shakeHands();
  peer.sendHeaders(1, post);
  const { stream } = events.stream(1);
  stream?.sendHeaders(ok);
  await peer.nextOf("HEADERS");
  for (let at = 0; at < 50; at++) {
    peer.sendPing();
    await peer.nextOf("PING");
    stream?.sendData(patterned(10));
    await peer.nextOf("DATA");
  }
  await peer.expectNothingMore();
});

test("drains a connection at its age, within a tenth, and lets its streams end", async () => {
  const { peer, clock, events } = createScriptedServer({
    limits: { life: { maxAgeMs: 100_000, maxAgeGraceMs: 60_000 } },
  });
  await peer.shakeHands();
  peer.sendHeaders(1, post, { endStream: true });
  clock.advance(89_000);
  await peer.expectNothingMore();
  clock.advance(22_000);
  await peer.expectGoaway(ErrorCode.noError, "max_age");
  peer.sendPing((await peer.nextOf("PING")).payload, { ack: true });
  await peer.nextOf("GOAWAY");
  events.stream(1).stream?.sendHeaders(ok, true);
  await peer.nextOf("HEADERS");
  await peer.whenClosed();
  assert.deepEqual(events.stream(1).log, ["end"]);
});

test("closes a connection whose streams outlast the grace after its age", async () => {
  const { peer, clock, events } = createScriptedServer({
    limits: { life: { maxAgeMs: 100_000, maxAgeGraceMs: 10_000 } },
  });
  await peer.shakeHands();
  peer.sendHeaders(1, post, { endStream: true });
  clock.advance(111_000);
  await peer.expectGoaway(ErrorCode.noError, "max_age");
  peer.sendPing((await peer.nextOf("PING")).payload, { ack: true });
  await peer.nextOf("GOAWAY");
  clock.advance(21_000);
  await peer.expectGoaway(ErrorCode.noError, "max_age");
  assert.deepEqual(events.stream(1).log, ["end", "reset"]);
});

test("resets a stream whose last data got no window for 60 seconds, and keeps the others", async () => {
  const { peer, clock, events } = createScriptedServer();
  await peer.shakeHands({ initialWindowSize: 5 });
  for (const id of [1, 3]) {
    peer.sendHeaders(id, post, { endStream: true });
    const { stream } = events.stream(id);
    stream?.sendHeaders(ok);
    stream?.sendData(patterned(10), id === 1);
    await peer.nextOf("HEADERS");
    await peer.nextOf("DATA");
  }
  clock.advance(59_000);
  await peer.expectNothingMore();
  clock.advance(3000);
  await peer.expectReset(1, ErrorCode.cancel);
  assert.deepEqual(events.stream(1).log, ["end", "reset"]);
  // Stream 3 is still being written: its reader may take as long as it likes.
  clock.advance(600_000);
  await peer.expectNothingMore();
});

test("bears with a stream whose data moves a byte a minute", async () => {
  const { peer, clock, events } = createScriptedServer();
  await peer.shakeHands({ initialWindowSize: 0 });
  peer.sendHeaders(1, post, { endStream: true });
  const { stream } = events.stream(1);
  stream?.sendHeaders(ok);
  stream?.sendData(patterned(10), true);
  await peer.nextOf("HEADERS");
  for (let at = 0; at < 10; at++) {
    clock.advance(59_000);
    peer.sendWindowUpdate(1, 1);
    await peer.nextOf("DATA");
  }
  await peer.expectNothingMore();
});

test("ends a connection that floods us with window updates", async () => {
  const { peer } = createScriptedServer({ limits: { budgets: { glitches: { burst: 100, perSecond: 0 } } } });
  await peer.shakeHands();
  for (let at = 0; at < 105; at++) peer.sendWindowUpdate(0, 1);
  await peer.expectAlive();
  peer.sendWindowUpdate(0, 1);
  await peer.expectGoaway(ErrorCode.enhanceYourCalm, "too_many_glitches");
});

test("takes a window update for each KiB that we send", async () => {
  const { peer, events } = createScriptedServer({ limits: { budgets: { glitches: { burst: 1, perSecond: 0 } } } });
  await peer.shakeHands();
  peer.sendHeaders(1, post, { endStream: true });
  const { stream } = events.stream(1);
  stream?.sendHeaders(ok);
  await peer.nextOf("HEADERS");
  for (let sent = 0; sent < 64; sent++) {
    stream?.sendData(patterned(16_384));
    await peer.nextOf("DATA");
    for (let at = 0; at < 16; at++) {
      peer.sendWindowUpdate(0, 1024);
      peer.sendWindowUpdate(1, 1024);
    }
  }
  await peer.expectAlive();
});
