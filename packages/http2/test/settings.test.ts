// RFC 9113 §6.5: what both sides say first, and what follows from it.
import assert from "node:assert/strict";
import { test } from "node:test";
import { ErrorCode } from "../src/index.ts";
import { createScriptedClient, createScriptedServer } from "../src/testing/index.ts";
import { ok, post } from "./example-fields.ts";

test("opens as a server with its limits and the connection's window", async () => {
  const { peer } = createScriptedServer();
  assert.deepEqual(await peer.nextFrame(), {
    type: "SETTINGS",
    ack: false,
    entries: [[3, 200], [4, 1_048_576], [6, 16_384]], // biome-ignore format: a list of entries
  });
  assert.deepEqual(await peer.nextFrame(), { type: "WINDOW_UPDATE", streamId: 0, increment: 1_048_576 - 65_535 });
  await peer.expectNothingMore();
});

test("opens as a client without push, and speaks before the server does", async () => {
  const { peer } = createScriptedClient();
  assert.deepEqual(await peer.nextFrame(), {
    type: "SETTINGS",
    ack: false,
    entries: [[2, 0], [4, 1_048_576], [6, 16_384]], // biome-ignore format: a list of entries
  });
});

test("announces the limits that are not the protocol's defaults, and no window update of 0", async () => {
  const limits = { headers: { tableBytes: 0 }, frames: { maxBytes: 20_000 }, windows: { connectionBytes: 65_535 } };
  const { peer } = createScriptedServer({ limits });
  const frame = await peer.nextFrame();
  assert.ok(frame.type === "SETTINGS");
  assert.deepEqual(frame.entries.slice(1, 3), [[1, 0], [5, 20_000]]); // biome-ignore format: a list of entries
  await peer.expectNothingMore();
});

test("acknowledges every SETTINGS frame and tells its client once that it is ready", async () => {
  const { peer, events } = createScriptedClient();
  await peer.shakeHands();
  peer.sendSettings({ maxConcurrentStreams: 5 });
  assert.deepEqual(await peer.nextFrame(), { type: "SETTINGS", ack: true, entries: [] });
  await peer.expectNothingMore();
  assert.deepEqual([events.ready, events.capacity], [1, 1]);
});

const wrong: readonly [what: string, frame: { flags?: number; streamId?: number; payload?: Buffer }, code: number][] = [
  ["on a stream", { streamId: 1 }, ErrorCode.protocolError],
  ["of 5 bytes", { payload: Buffer.alloc(5) }, ErrorCode.frameSizeError],
  ["of 33 entries", { payload: Buffer.alloc(198) }, ErrorCode.frameSizeError],
  ["that acknowledge and carry a payload", { flags: 1, payload: Buffer.alloc(6) }, ErrorCode.frameSizeError],
  ["with push of 2", { payload: Buffer.from("000200000002", "hex") }, ErrorCode.protocolError],
  ["with a window of 2^31", { payload: Buffer.from("000480000000", "hex") }, ErrorCode.flowControlError],
  ["with frames of 16,383", { payload: Buffer.from("000500003fff", "hex") }, ErrorCode.protocolError],
  ["with frames of 2^24", { payload: Buffer.from("000501000000", "hex") }, ErrorCode.protocolError],
];

for (const [what, frame, code] of wrong) {
  test(`ends the connection for SETTINGS ${what}`, async () => {
    const { peer, channel, events } = createScriptedServer();
    await peer.shakeHands();
    peer.sendFrame({ type: 4, ...frame });
    await peer.expectGoaway(code);
    await peer.whenClosed();
    channel.closeByPeer();
    await peer.expectNothingMore();
    assert.equal(events.closeError?.code, code);
  });
}

test("takes SETTINGS of 32 entries, and ignores those that it does not know", async () => {
  const { peer } = createScriptedServer();
  await peer.shakeHands();
  peer.sendSettings(Array.from({ length: 32 }, (_, i) => [0xf000 + i, 0xffff_ffff] as const));
  assert.deepEqual(await peer.nextFrame(), { type: "SETTINGS", ack: true, entries: [] });
  await peer.expectAlive();
});

for (const [what, flags, type] of [
  ["an acknowledgement", 1, 4],
  ["a PING", 0, 6],
  ["an unknown frame", 0, 0xbe],
] as const) {
  test(`ends a connection that begins with ${what} instead of SETTINGS`, async () => {
    const { peer } = createScriptedServer();
    peer.sendFrame({ type, flags, payload: Buffer.alloc(type === 6 ? 8 : 0) });
    await peer.expectGoaway(ErrorCode.protocolError);
  });
}

test("ignores an acknowledgement that no one waits for", async () => {
  const { peer } = createScriptedServer();
  await peer.shakeHands();
  peer.sendSettingsAck();
  await peer.expectAlive();
});

test("lets a server say that it does not push, and refuses that it may", async () => {
  const { peer, events } = createScriptedClient();
  await peer.shakeHands({ enablePush: 0 });
  await peer.expectAlive();
  peer.sendSettings({ enablePush: 1 });
  await peer.expectGoaway(ErrorCode.protocolError);
  assert.equal(events.closes, 0);
});

test("lets a client say that it takes pushes, and pushes nothing", async () => {
  const { peer } = createScriptedServer();
  await peer.shakeHands({ enablePush: 1 });
  await peer.expectAlive();
});

test("opens no more requests at once than the server allows, and says when there is room", async () => {
  const { peer, connection, events, request } = createScriptedClient();
  await peer.shakeHands({ maxConcurrentStreams: 2 });
  request(post, { endStream: true });
  assert.equal(connection.canOpenStream, true);
  request(post, { endStream: true });
  assert.equal(connection.canOpenStream, false);
  assert.equal(connection.isAcceptingRequests, true);
  assert.throws(() => request(post), /concurrent stream limit reached/);
  peer.sendHeaders(1, ok, { endStream: true });
  assert.equal(events.capacity, 1);
  assert.equal(connection.canOpenStream, true);
  peer.sendSettings({ maxConcurrentStreams: 0 });
  assert.equal(connection.canOpenStream, false);
});

test("opens 100 requests before the server has said how many it allows", async () => {
  const { connection, request } = createScriptedClient();
  for (let i = 0; i < 100; i++) request(post, { endStream: true });
  assert.equal(connection.canOpenStream, false);
});

test("tells the peer's decoder of a smaller table before it uses it", async () => {
  const { peer, request } = createScriptedClient();
  await peer.shakeHands({ headerTableSize: 0 });
  for (let i = 0; i < 3; i++) request([...post, "x-repeated", "same"], { endStream: true });
  for (let i = 0; i < 3; i++) {
    assert.deepEqual((await peer.nextOf("HEADERS")).fields, [...post, "x-repeated", "same"]);
  }
});

test("requires the peer to reduce its table only once it has acknowledged that", async () => {
  const { peer, events } = createScriptedServer({ limits: { headers: { tableBytes: 0 } } });
  peer.sendSettings();
  peer.sendHeaders(1, [...post, "x-indexed", "by the encoder"]);
  assert.deepEqual(events.stream(1).request?.fields, ["x-indexed", "by the encoder"]);
  peer.sendSettingsAck();
  peer.sendHeaders(3, post);
  await peer.expectGoaway(ErrorCode.compressionError);
});
