// What may take only so long, on a clock that the tests move.
import assert from "node:assert/strict";
import { test } from "node:test";
import { ErrorCode } from "../src/index.ts";
import { createScriptedClient, createScriptedServer } from "../src/testing/index.ts";
import { ok, patterned, post } from "./example-fields.ts";

test("gives the peer's SETTINGS 10 seconds, in either role", async () => {
  for (const { peer, clock } of [createScriptedServer(), createScriptedClient()]) {
    await peer.nextOf("SETTINGS");
    clock.advance(9000);
    assert.ok(peer.unread.every((frame) => frame.type !== "GOAWAY"));
    clock.advance(1000);
    await peer.expectGoaway(ErrorCode.settingsTimeout, /no SETTINGS/);
  }
});

test("gives the acknowledgement of our SETTINGS 10 seconds", async () => {
  const { peer, clock, events, channel, settle } = createScriptedServer();
  peer.sendSettings();
  clock.advance(9000);
  await peer.nextOf("SETTINGS");
  clock.advance(1000);
  await peer.expectGoaway(ErrorCode.settingsTimeout, /not acknowledged/);
  channel.closeByPeer();
  await settle();
  assert.equal(events.closeError?.code, ErrorCode.settingsTimeout);
  assert.equal(clock.pendingTimers, 0);
});

test("gives a frame 10 seconds to arrive, however often a byte of it comes", async () => {
  const { peer, clock } = createScriptedServer();
  await peer.shakeHands();
  peer.sendHeaders(1, post);
  peer.sendRaw(Buffer.from("0000ff0000000000", "hex"));
  for (let second = 0; second < 9; second++) {
    clock.advance(1000);
    peer.sendRaw(Buffer.of(1));
  }
  await peer.expectNothingMore();
  clock.advance(1000);
  await peer.expectGoaway(ErrorCode.enhanceYourCalm, /not ended in time/);
});

test("lets a frame take its time while others come to their end", async () => {
  const { peer, clock } = createScriptedServer();
  await peer.shakeHands();
  const frame = Buffer.from("0000080600000000000102030405060708", "hex");
  peer.sendRaw(frame.subarray(0, 5));
  for (let second = 0; second < 30; second++) {
    clock.advance(1000);
    // The rest of one and the begin of the next.
    peer.sendRaw(frame.subarray(5), frame.subarray(0, 5));
  }
  peer.sendRaw(frame.subarray(5));
  for (let i = 0; i < 31; i++) assert.equal((await peer.nextFrame()).type, "PING");
  await peer.expectAlive();
});

test("drains a connection that had no stream for 15 minutes, and not one that has", async () => {
  const { peer, clock, channel, events, settle } = createScriptedServer();
  await peer.shakeHands();
  peer.sendHeaders(1, post, { endStream: true });
  clock.advance(2_000_000);
  await peer.expectNothingMore();
  events.stream(1).stream?.sendHeaders(ok, true);
  await peer.nextOf("HEADERS");
  clock.advance(900_000);
  await peer.expectNothingMore();
  clock.advance(1000);
  await peer.expectGoaway(ErrorCode.noError, "max_idle");
  peer.sendPing((await peer.nextOf("PING")).payload, { ack: true });
  await peer.whenClosed();
  channel.closeByPeer();
  await settle();
  assert.deepEqual([events.closes, events.closeError], [1, undefined]);
});

test("counts a stream whose handler still runs as one that is there", async () => {
  const { peer, clock, events } = createScriptedServer({ onStream: (_recorded, stream) => stream.hold() });
  await peer.shakeHands();
  peer.sendHeaders(1, post);
  peer.sendReset(1, ErrorCode.cancel);
  clock.advance(2_000_000);
  await peer.expectNothingMore();
  events.stream(1).stream?.release();
  clock.advance(902_000);
  await peer.expectGoaway(ErrorCode.noError, "max_idle");
});

test("never drains an idle connection when that time is 0", async () => {
  const { peer, clock } = createScriptedServer({ limits: { life: { maxIdleMs: 0 } } });
  await peer.shakeHands();
  clock.advance(100_000_000);
  await peer.expectNothingMore();
});

test("gives a peer that does not read 30 seconds, then destroys the socket without a word", async () => {
  const { peer, clock, channel, events, settle } = createScriptedServer();
  await peer.shakeHands();
  peer.sendHeaders(1, post);
  channel.holdWrites();
  events.stream(1).stream?.sendHeaders(ok);
  await settle();
  clock.advance(30_000);
  assert.equal(channel.isDestroyed, false);
  clock.advance(1000);
  assert.equal(channel.isDestroyed, true);
  await settle();
  assert.deepEqual(events.stream(1).log, ["reset"]);
  assert.equal(events.closes, 1);
  assert.match(events.closeError?.message ?? "", /stopped reading/);
  assert.equal(clock.pendingTimers, 0);
});

test("does not take a peer for one that reads because it keeps us answering", async () => {
  const { peer, clock, channel, events, settle } = createScriptedServer({ limits: { streams: { maxConcurrent: 0 } } });
  await peer.shakeHands();
  channel.holdWrites();
  for (let second = 0; second < 40; second++) {
    peer.sendHeaders(2 * second + 1, post);
    await settle();
    clock.advance(1000);
  }
  assert.equal(channel.isDestroyed, true);
  assert.equal(events.closes, 1);
});

for (const [rate, bytesPerSecond, isKept] of [
  ["1 KiB a second, as the slowest mobile links", 1024, true],
  ["a byte a second", 1, false],
] as const) {
  test(`${isKept ? "keeps" : "ends"} the connection of a peer that reads ${rate}`, async () => {
    const { peer, clock, channel, events, settle } = createScriptedServer();
    await peer.shakeHands();
    peer.sendHeaders(1, post);
    channel.holdWrites();
    events.stream(1).stream?.sendData(patterned(65_535), true);
    await settle();
    for (let second = 0; second < 60; second++) {
      channel.releaseWrites(bytesPerSecond);
      clock.advance(1000);
    }
    assert.equal(channel.isDestroyed, !isKept);
    channel.releaseWrites();
  });
}

test("keeps the connection of a peer that reads a byte a second when no more waits", async () => {
  const { peer, clock, channel, events, settle } = createScriptedServer();
  await peer.shakeHands();
  peer.sendHeaders(1, post);
  channel.holdWrites();
  const { stream } = events.stream(1);
  for (let second = 0; second < 120; second++) {
    stream?.sendData(Buffer.of(1));
    await settle();
    channel.releaseWrites(10);
    clock.advance(1000);
  }
  assert.equal(channel.isDestroyed, false);
  channel.releaseWrites();
});

const keepalive = { timeMs: 60_000, timeoutMs: 5000 };

test("asks a silent peer whether it is there, and takes the answer for life", async () => {
  const { peer, clock, request, events } = createScriptedClient({ keepalive });
  await peer.shakeHands();
  request(post);
  await peer.nextOf("HEADERS");
  clock.advance(1000);
  for (let round = 0; round < 3; round++) {
    clock.advance(59_000);
    await peer.expectNothingMore();
    clock.advance(1000);
    const ping = await peer.nextFrame();
    assert.ok(ping.type === "PING" && !ping.ack);
    peer.sendPing(ping.payload, { ack: true });
    clock.advance(1000);
  }
  clock.advance(5000);
  assert.equal(events.closes, 0);
});

test("gives up a peer that does not answer, and tells its requests", async () => {
  const { peer, clock, channel, request, events, settle } = createScriptedClient({ keepalive });
  await peer.shakeHands();
  const recorded = request(post);
  clock.advance(61_000);
  await peer.nextOf("PING");
  clock.advance(4000);
  assert.equal(channel.isDestroyed, false);
  clock.advance(1000);
  assert.equal(channel.isDestroyed, true);
  await settle();
  assert.deepEqual(recorded.log, ["reset"]);
  assert.match(events.closeError?.message ?? "", /keepalive/);
  assert.equal(events.closes, 1);
  assert.equal(clock.pendingTimers, 0);
});

test("does not ask while there is no stream, unless that is wanted", async () => {
  for (const permitWithoutStreams of [false, true]) {
    const { peer, clock } = createScriptedClient({ keepalive: { ...keepalive, permitWithoutStreams } });
    await peer.shakeHands();
    clock.advance(62_000);
    if (permitWithoutStreams) assert.equal((await peer.nextFrame()).type, "PING");
    await peer.expectNothingMore();
  }
});

test("never asks without the option, however long the peer is silent", async () => {
  const { peer, clock, request, events } = createScriptedClient();
  await peer.shakeHands();
  request(post);
  await peer.nextOf("HEADERS");
  clock.advance(24 * 3_600_000);
  await peer.expectNothingMore();
  assert.equal(events.closes, 0);
});
