// RFC 9113 §5.1: what arrives on a stream that is over, because the peer could not know, or although it knew.
import assert from "node:assert/strict";
import { test } from "node:test";
import { ErrorCode } from "../src/index.ts";
import { createScriptedClient, createScriptedServer } from "../src/testing/index.ts";
import { ok, patterned, post } from "./example-fields.ts";

test("ignores for nothing what was sent before our reset arrived, up to the stream's window and its trailers, and charges every byte more", async () => {
  const limits = { windows: { streamBytes: 30_000, connectionBytes: 65_535 } };
  const { peer, events, clock, settle } = createScriptedServer({ limits });
  await peer.shakeHands();
  // Together more than the connection's window: what is ignored is given back.
  const ids = [1, 3, 5, 7, 9, 11];
  for (const id of ids) {
    peer.sendHeaders(id, post);
    events.stream(id).stream?.reset();
    await peer.expectReset(id, ErrorCode.cancel);
  }
  // However long the link is.
  clock.advance(9_000);
  for (const id of ids) {
    peer.sendData(id, patterned(15_000));
    peer.sendWindowUpdate(id, 10);
    peer.sendData(id, patterned(14_999), { padding: 0 });
    await settle();
  }
  while (peer.unread.length > 0) assert.equal((await peer.nextFrame()).type, "WINDOW_UPDATE");
  peer.sendHeaders(1, ["trailer", "t"], { endStream: true });
  peer.sendReset(1, ErrorCode.cancel);
  await peer.expectNothingMore();
  // Ignored as well, as after every reset, but no longer for nothing.
  for (let i = 0; i < 100; i++) {
    peer.sendData(3, "xx");
    peer.sendHeaders(1, ["trailer", "t"], { endStream: true });
  }
  await peer.expectNothingMore();
  peer.sendData(3, "xx");
  await peer.expectGoaway(ErrorCode.enhanceYourCalm, "too_many_stream_errors");
});

test("ignores what follows a request that it does not open", async () => {
  const { peer, events } = createScriptedServer({ limits: { streams: { maxConcurrent: 1 } } });
  await peer.shakeHands();
  peer.sendHeaders(1, post);
  for (const [id, fields, code] of [
    [3, post, ErrorCode.refusedStream],
    [5, [...post, "Upper", "case"], ErrorCode.protocolError],
  ] as const) {
    if (id === 5) events.stream(1).stream?.reset();
    peer.sendHeaders(id, fields);
    await peer.expectReset(id === 5 ? 1 : id, id === 5 ? ErrorCode.cancel : code);
    if (id === 5) await peer.expectReset(5, code);
    peer.sendData(id, patterned(10_000));
    peer.sendHeaders(id, ["trailer", "t"], { endStream: true });
    await peer.expectNothingMore();
  }
});

test("keeps the connection of 200 uploads that are answered early with a window of data in flight each, over and over", async () => {
  const scripted = createScriptedServer({
    limits: { windows: { streamBytes: 20_000, connectionBytes: 200 * 20_000 } },
    onStream: (_recorded, stream) => {
      stream.resetWhenSent(ErrorCode.noError);
      stream.sendHeaders(ok, true);
    },
  });
  const { peer, connection, settle, clock } = scripted;
  await peer.shakeHands();
  let first = 1;
  for (let round = 0; round < 20; round++) {
    const ids = Array.from({ length: 200 }, (_, at) => first + 2 * at);
    first += 400;
    for (const id of ids) peer.sendHeaders(id, post);
    for (let part = 0; part < 10; part++) for (const id of ids) peer.sendData(id, patterned(2000));
    for (const id of ids) {
      if (id % 4 === 1) peer.sendHeaders(id, ["trailer", "t"], { endStream: true });
      else peer.sendReset(id, ErrorCode.cancel);
    }
    await settle();
    clock.advance(10);
  }
  assert.equal(connection.isClosed, false);
  const resets = peer.unread.filter((frame) => frame.type === "RST_STREAM");
  assert.deepEqual([resets.length, new Set(resets.map(({ code }) => code))], [4000, new Set([ErrorCode.noError])]);
  assert.equal(peer.unread.filter((frame) => frame.type === "GOAWAY").length, 0);
});

test("answers the first frame after the peer's own end with a reset, and ignores the next ones", async () => {
  const { peer, events } = createScriptedServer({
    onStream: (recorded, stream) => {
      if (stream.id === 1) recorded.onEnd = () => stream.sendHeaders(ok, true);
    },
  });
  await peer.shakeHands();
  // Over on both sides, and half closed by the peer.
  for (const id of [1, 3]) {
    peer.sendHeaders(id, post, { endStream: true });
    peer.sendData(id, "x");
  }
  assert.equal((await peer.nextFrame()).type, "HEADERS");
  for (const id of [1, 3]) await peer.expectReset(id, ErrorCode.streamClosed);
  for (const id of [1, 3]) {
    peer.sendData(id, "x", { endStream: true });
    peer.sendData(id, "");
    peer.sendHeaders(id, ["trailer", "t"], { endStream: true });
  }
  await peer.expectNothingMore();
  assert.equal(events.stream(3).error?.code, ErrorCode.streamClosed);
});

test("ends the connection of a peer that floods streams which it has ended", async () => {
  const { peer, events, settle } = createScriptedServer();
  await peer.shakeHands();
  peer.sendHeaders(1, post);
  events.stream(1).stream?.reset();
  peer.sendData(1, "x", { endStream: true });
  await settle();
  for (let i = 0; i < 200; i++) peer.sendData(1, "x");
  await peer.expectReset(1, ErrorCode.cancel);
  await peer.expectNothingMore();
  peer.sendData(1, "x");
  await peer.expectGoaway(ErrorCode.enhanceYourCalm, "too_many_stream_errors");
});

test("ends the connection of a peer that floods a stream which we ended with empty DATA", async () => {
  const { peer, events } = createScriptedServer();
  await peer.shakeHands();
  peer.sendHeaders(1, post);
  events.stream(1).stream?.reset();
  await peer.expectReset(1, ErrorCode.cancel);
  for (let i = 0; i < 1000; i++) peer.sendData(1, "");
  await peer.expectAlive();
  peer.sendData(1, "");
  await peer.expectGoaway(ErrorCode.enhanceYourCalm, "too_many_glitches");
});

test("takes a reset after the end of each stream, and ends the connection of a peer that sends many more", async () => {
  const { peer, connection, settle } = createScriptedServer({
    onStream: (_recorded, stream) => stream.sendHeaders(ok, true),
  });
  await peer.shakeHands();
  for (let id = 1; id < 20_000; id += 2) {
    peer.sendHeaders(id, post, { endStream: true });
    peer.sendReset(id, ErrorCode.cancel);
  }
  await settle();
  assert.equal(connection.isClosed, false);
  for (let i = 0; i < 1000; i++) peer.sendReset(1, ErrorCode.cancel);
  await settle();
  assert.equal(connection.isClosed, false);
  peer.sendReset(1, ErrorCode.cancel);
  await peer.expectGoaway(ErrorCode.enhanceYourCalm, "too_many_glitches");
});

test("does not charge resets of streams that were at their end anyway, and charges the others", async () => {
  let isResetExpected = true;
  const { peer, connection, settle } = createScriptedServer({
    onStream: (recorded) => Object.assign(recorded, { isResetExpected: () => isResetExpected }),
  });
  await peer.shakeHands();
  const openAndReset = (from: number, count: number): void => {
    for (let id = from; id < from + 2 * count; id += 2) {
      peer.sendHeaders(id, post);
      peer.sendReset(id, ErrorCode.cancel);
    }
  };
  openAndReset(1, 10_000);
  await settle();
  assert.equal(connection.isClosed, false);
  isResetExpected = false;
  openAndReset(20_001, 1000);
  await peer.expectAlive();
  openAndReset(22_001, 1);
  await peer.expectGoaway(ErrorCode.enhanceYourCalm, "too_many_resets");
});

test("does not charge for a place that only a handler still takes, and charges for one that the peer takes itself", async () => {
  const { peer, connection, settle } = createScriptedServer({
    limits: { streams: { maxConcurrent: 1 } },
    onStream: (_recorded, stream) => stream.hold(),
  });
  await peer.shakeHands();
  peer.sendHeaders(1, post);
  peer.sendReset(1, ErrorCode.cancel);
  for (let id = 3; id < 10_000; id += 2) peer.sendHeaders(id, post);
  await settle();
  assert.equal(connection.isClosed, false);
  assert.equal(peer.unread.filter((frame) => frame.type === "RST_STREAM").length, 4999);

  const greedy = createScriptedServer({ limits: { streams: { maxConcurrent: 1 } } });
  await greedy.peer.shakeHands();
  for (let id = 1; id < 2003; id += 2) greedy.peer.sendHeaders(id, post);
  await greedy.settle();
  assert.equal(greedy.connection.isClosed, false);
  greedy.peer.sendHeaders(2003, post);
  await greedy.peer.expectGoaway(ErrorCode.enhanceYourCalm, "too_many_glitches");
});

test("a client keeps the connection of a server that resets all its requests", async () => {
  const { peer, request, connection, settle } = createScriptedClient();
  await peer.shakeHands();
  for (let id = 1; id < 10_000; id += 2) {
    const recorded = request(post);
    if (id % 4 === 1) {
      // An early response, to which the client answers with a reset of its own as the server's is on its way.
      peer.sendHeaders(id, ok, { endStream: true });
      recorded.stream?.reset();
      peer.sendReset(id, ErrorCode.noError);
    } else {
      peer.sendReset(id, ErrorCode.refusedStream);
      assert.equal(recorded.error?.unprocessed, true);
    }
    if (id % 200 === 1) await settle();
  }
  await settle();
  assert.equal(connection.isClosed, false);
  assert.ok(connection.canOpenStream);
});
