// RFC 9113 §6.7, and the flood of CVE-2019-9512 and CVE-2019-9515.
import assert from "node:assert/strict";
import { test } from "node:test";
import { ErrorCode, Http2Error } from "../src/index.ts";
import { buildFrame, createScriptedClient, createScriptedServer, type ScriptedPeer } from "../src/testing/index.ts";

const pings = (count: number): Buffer =>
  Buffer.concat(Array.from({ length: count }, () => buildFrame({ type: 6, payload: Buffer.alloc(8) })));

/** Reads `answers` frames and verifies that they are all, and that the connection lives. */
async function aliveAfter(peer: ScriptedPeer, answers: number): Promise<void> {
  for (let i = 0; i < answers; i++) await peer.nextFrame();
  await peer.expectAlive();
}

test("answers with the bytes that came", async () => {
  const { peer } = createScriptedServer();
  await peer.shakeHands();
  peer.sendPing("ff00a55a01020304");
  assert.deepEqual(await peer.nextFrame(), { type: "PING", ack: true, payload: "ff00a55a01020304" });
});

test("settles each ping by its own answer, in whatever order they come", async () => {
  const { peer, connection } = createScriptedClient();
  await peer.shakeHands();
  const settled: string[] = [];
  const both = [
    connection.ping().then(() => settled.push("first")),
    connection.ping().then(() => settled.push("second")),
  ];
  const [first, second] = [await peer.nextOf("PING"), await peer.nextOf("PING")];
  assert.notEqual(first.payload, second.payload);
  peer.sendPing(second.payload, { ack: true });
  await both[1];
  assert.deepEqual(settled, ["second"]);
  peer.sendPing(first.payload, { ack: true });
  await Promise.all(both);
});

test("ignores an answer that no one waits for", async () => {
  const { peer } = createScriptedServer();
  await peer.shakeHands();
  peer.sendPing("0000000000000001", { ack: true });
  peer.sendPing("ffffffffffffffff", { ack: true });
  await peer.expectAlive();
});

test("rejects a ping whose connection ends first", async () => {
  const { peer, connection, channel } = createScriptedClient();
  await peer.shakeHands();
  const ping = connection.ping();
  channel.closeByPeer(new Error("ECONNRESET"));
  await assert.rejects(ping, (error: unknown) => error instanceof Http2Error && error.scope === "connection");
});

for (const [what, frame, code] of [
  ["on a stream", { streamId: 1, payload: Buffer.alloc(8) }, ErrorCode.protocolError],
  ["of 7 bytes", { payload: Buffer.alloc(7) }, ErrorCode.frameSizeError],
  ["of 9 bytes", { payload: Buffer.alloc(9) }, ErrorCode.frameSizeError],
] as const) {
  test(`ends the connection for a PING ${what}`, async () => {
    const { peer } = createScriptedServer();
    await peer.shakeHands();
    peer.sendFrame({ type: 6, ...frame });
    await peer.expectGoaway(code);
  });
}

test("answers any number of pings of a peer that reads the answers", async () => {
  const { peer, channel } = createScriptedServer();
  await peer.shakeHands();
  for (let round = 0; round < 30; round++) {
    peer.sendRaw(pings(100));
    await aliveAfter(peer, 100);
  }
  assert.equal(channel.isPaused, false);
});

for (const count of [511, 512, 513, 600, 1100, 5000]) {
  test(`answers ${count} pings of one chunk and goes on listening`, async () => {
    const { peer, channel, settle } = createScriptedServer();
    await peer.shakeHands();
    peer.sendRaw(pings(count));
    await settle();
    assert.equal(peer.unread.length, count);
    assert.equal(channel.isPaused, false);
    for (let i = 0; i < count; i++) await peer.nextFrame();
    await peer.expectAlive();
  });
}

for (const highWaterMark of [1, 65_536]) {
  test(`stops listening at 100 answers that the peer does not read, with a socket that reports at ${highWaterMark}`, async () => {
    const { peer, channel, settle } = createScriptedServer({ highWaterMark });
    await peer.shakeHands();
    channel.holdWrites();
    peer.sendRaw(pings(99));
    await settle();
    assert.equal(channel.isPaused, false);
    peer.sendRaw(pings(1));
    assert.equal(channel.isPaused, true);
    peer.sendRaw(pings(100));
    await settle();
    assert.equal(channel.writableLength, 100 * 17, "nothing more was read");
    channel.releaseWrites();
    await settle();
    assert.equal(peer.unread.length, 200);
    assert.equal(channel.isPaused, false);
  });
}

test("ends the connection at 1000 answers that the peer does not read, and not at 999", async () => {
  for (const [count, ends] of [
    [999, false],
    [1000, true],
  ] as const) {
    // biome-ignore format: a table
    const { peer, channel, events, settle } = createScriptedServer({ limits: { frames: { maxPerTurn: 10_000 } } });
    await peer.shakeHands();
    channel.holdWrites();
    peer.sendRaw(pings(count));
    await settle();
    channel.releaseWrites();
    if (ends) await peer.expectGoaway(ErrorCode.enhanceYourCalm, "too_many_control_frames");
    else await aliveAfter(peer, count);
    assert.equal(events.closes, 0);
  }
});

test("counts answers to SETTINGS like answers to pings", async () => {
  const { peer, channel } = createScriptedServer();
  await peer.shakeHands();
  channel.holdWrites();
  for (let i = 0; i < 50; i++) peer.sendSettings();
  peer.sendRaw(pings(49));
  assert.equal(channel.isPaused, false);
  peer.sendSettings();
  assert.equal(channel.isPaused, true);
});

test("ends the connection of a peer that sends 1001 SETTINGS more than the first at once", async () => {
  const { peer } = createScriptedServer();
  await peer.shakeHands();
  for (let i = 0; i < 1000; i++) peer.sendSettings();
  await aliveAfter(peer, 1000);
  peer.sendSettings();
  await peer.expectGoaway(ErrorCode.enhanceYourCalm, "too_many_glitches");
});
