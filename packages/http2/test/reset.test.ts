// RFC 9113 §5.4.2 and §6.4, and the attacks that live on resets: CVE-2023-44487 and CVE-2025-8671.
import assert from "node:assert/strict";
import { test } from "node:test";
import { ErrorCode } from "../src/index.ts";
import { createScriptedClient, createScriptedServer, type ScriptedConnection } from "../src/testing/index.ts";
import { ok, patterned, post } from "./example-fields.ts";

test("tells the listener of the peer's reset, with its code, and nothing afterwards", async () => {
  const { peer, events } = createScriptedServer();
  await peer.shakeHands();
  peer.sendHeaders(1, post);
  peer.sendReset(1, ErrorCode.cancel);
  peer.sendReset(1, ErrorCode.cancel);
  const { log, error } = events.stream(1);
  assert.deepEqual(log, ["reset"]);
  assert.deepEqual(
    [error?.code, error?.blame, error?.scope, error?.unprocessed],
    [ErrorCode.cancel, "peer", "stream", false],
  );
  await peer.expectAlive();
});

test("calls a refused request unprocessed", async () => {
  const { peer, request } = createScriptedClient();
  await peer.shakeHands();
  const recorded = request(post);
  peer.sendReset(1, ErrorCode.refusedStream);
  assert.equal(recorded.error?.unprocessed, true);
});

test("resets with the code given, without telling the listener that asked for it", async () => {
  const { peer, events } = createScriptedServer();
  await peer.shakeHands();
  peer.sendHeaders(1, post);
  const { stream, log } = events.stream(1);
  stream?.reset(ErrorCode.internalError);
  stream?.reset(ErrorCode.cancel);
  await peer.expectReset(1, ErrorCode.internalError);
  await peer.expectNothingMore();
  assert.deepEqual(log, []);
});

for (const [what, frame, code] of [
  ["on stream 0", { streamId: 0, payload: Buffer.alloc(4) }, ErrorCode.protocolError],
  ["on a stream that was never opened", { streamId: 5, payload: Buffer.alloc(4) }, ErrorCode.protocolError],
  ["on an even stream", { streamId: 2, payload: Buffer.alloc(4) }, ErrorCode.protocolError],
  ["of 3 bytes", { streamId: 1, payload: Buffer.alloc(3) }, ErrorCode.frameSizeError],
  ["of 5 bytes", { streamId: 1, payload: Buffer.alloc(5) }, ErrorCode.frameSizeError],
] as const) {
  test(`ends the connection for an RST_STREAM ${what}`, async () => {
    const { peer } = createScriptedServer();
    await peer.shakeHands();
    peer.sendHeaders(1, post);
    peer.sendFrame({ type: 3, ...frame });
    await peer.expectGoaway(code);
  });
}

/** Opens and resets `count` streams from `firstId` on. */
function resetMany({ peer }: ScriptedConnection, count: number, firstId: number): number {
  let id = firstId;
  for (let i = 0; i < count; i++, id += 2) {
    peer.sendHeaders(id, post);
    peer.sendReset(id, ErrorCode.cancel);
  }
  return id;
}

test("bears 1000 rapid resets and ends the connection at the next", async () => {
  const scripted = createScriptedServer();
  await scripted.peer.shakeHands();
  const id = resetMany(scripted, 1000, 1);
  await scripted.peer.expectAlive();
  resetMany(scripted, 1, id);
  await scripted.peer.expectGoaway(ErrorCode.enhanceYourCalm, "too_many_resets");
});

test("bears 33 resets per second for ever", async () => {
  const scripted = createScriptedServer();
  await scripted.peer.shakeHands();
  let id = resetMany(scripted, 1000, 1);
  for (let second = 0; second < 100; second++) {
    scripted.clock.advance(1000);
    id = resetMany(scripted, 33, id);
  }
  await scripted.peer.expectAlive();
  resetMany(scripted, 1, id);
  await scripted.peer.expectGoaway(ErrorCode.enhanceYourCalm, "too_many_resets");
});

test("bears a client that cancels one request in twenty, however fast it is", async () => {
  const scripted = createScriptedServer({
    onStream: (_recorded, stream) => {
      if (stream.id % 40 !== 1) stream.sendHeaders(ok, true);
    },
  });
  const { peer, settle } = scripted;
  await peer.shakeHands();
  let id = 1;
  for (let round = 0; round < 2000; round++) {
    for (let i = 0; i < 20; i++, id += 2) {
      peer.sendHeaders(id, post, { endStream: true });
      if (id % 40 === 1) peer.sendReset(id, ErrorCode.cancel);
    }
    if (round % 100 === 99) await settle();
  }
  await settle();
  assert.ok(peer.unread.every((frame) => frame.type === "HEADERS"));
  assert.equal(scripted.connection.isClosed, false);
});

test("bears 1000 requests in flight being cancelled at once", async () => {
  const scripted = createScriptedServer({ limits: { streams: { maxConcurrent: 1000 } } });
  const { peer, connection } = scripted;
  await peer.shakeHands();
  for (let id = 1; id < 2000; id += 2) peer.sendHeaders(id, post);
  for (let id = 1; id < 2000; id += 2) peer.sendReset(id, ErrorCode.cancel);
  await peer.expectAlive();
  assert.equal(connection.openStreams, 0);
});

const causes: readonly [what: string, act: (scripted: ScriptedConnection, id: number) => void][] = [
  ["window updates of 0", ({ peer }, id) => peer.sendWindowUpdate(id, 0)],
  ["windows over 2^31-1", ({ peer }, id) => peer.sendWindowUpdate(id, 2 ** 31 - 1)],
  [
    "PRIORITY frames of a wrong size",
    ({ peer }, id) => peer.sendFrame({ type: 2, streamId: id, payload: Buffer.alloc(4) }),
  ],
  ["self-dependency", ({ peer }, id) => peer.sendPriority(id, id)],
  ["header blocks in the middle", ({ peer }, id) => peer.sendHeaders(id, ["a", "b"])],
  ["malformed trailers", ({ peer }, id) => peer.sendHeaders(id, ["A", "b"], { endStream: true })],
];

for (const [what, act] of causes) {
  test(`bears being made to reset 200 streams by ${what}, and ends the connection at the next`, async () => {
    const scripted = createScriptedServer();
    const { peer, events } = scripted;
    await peer.shakeHands();
    let id = 1;
    for (let i = 0; i < 200; i++, id += 2) {
      peer.sendHeaders(id, post);
      act(scripted, id);
      assert.deepEqual(events.stream(id).log, ["reset"]);
    }
    await scripted.settle();
    assert.deepEqual(new Set(peer.unread.map((frame) => frame.type)), new Set(["RST_STREAM"]));
    assert.equal(peer.unread.length, 200);
    peer.sendHeaders(id, post);
    act(scripted, id);
    await peer.expectGoaway(ErrorCode.enhanceYourCalm, "too_many_stream_errors");
  });
}

test("does not charge the peer for resets that the application asks for", async () => {
  const scripted = createScriptedServer({ onStream: (_recorded, stream) => stream.reset() });
  await scripted.peer.shakeHands();
  for (let id = 1; id < 10_000; id += 2) scripted.peer.sendHeaders(id, post);
  await scripted.settle();
  assert.equal(scripted.connection.isClosed, false);
  assert.equal(scripted.peer.unread.length, 5000);
});

test("keeps a reset stream's place until its handler has ended (CVE-2023-44487)", async () => {
  const scripted = createScriptedServer({
    limits: { streams: { maxConcurrent: 2 } },
    onStream: (_recorded, stream) => {
      stream.hold();
      stream.hold();
    },
  });
  const { peer, events } = scripted;
  await peer.shakeHands();
  resetMany(scripted, 2, 1);
  peer.sendHeaders(5, post);
  await peer.expectReset(5, ErrorCode.refusedStream);
  events.stream(1).stream?.release();
  peer.sendHeaders(7, post);
  await peer.expectReset(7, ErrorCode.refusedStream);
  events.stream(1).stream?.release();
  peer.sendHeaders(9, post);
  await peer.expectAlive();
  assert.deepEqual([...events.streams.keys()], [1, 3, 9]);
});

test("frees a stream's place once, whether it ends or is released last", async () => {
  for (const releasedFirst of [true, false]) {
    const scripted = createScriptedServer({ limits: { streams: { maxConcurrent: 1 } } });
    const { peer, events } = scripted;
    await peer.shakeHands();
    for (let id = 1; id < 20; id += 2) {
      peer.sendHeaders(id, post, { endStream: true });
      const stream = events.stream(id).stream;
      stream?.hold();
      if (releasedFirst) stream?.release();
      stream?.sendHeaders(ok, true);
      peer.sendHeaders(id + 2, post, { endStream: true });
      if (releasedFirst) {
        events.stream(id + 2).stream?.sendHeaders(ok, true);
      } else {
        assert.equal(events.streams.has(id + 2), false);
        stream?.release();
      }
      id += 2;
    }
  }
});

test("takes as many streams at once as its limit says, from the first byte, and refuses the next", async () => {
  const { peer, events, connection } = createScriptedServer({ limits: { streams: { maxConcurrent: 3 } } });
  // Our SETTINGS are not acknowledged (CVE-2025-53506).
  peer.sendSettings();
  for (const id of [1, 3, 5, 7]) peer.sendHeaders(id, post);
  await peer.expectReset(7, ErrorCode.refusedStream);
  assert.deepEqual([...events.streams.keys()], [1, 3, 5]);
  assert.equal(connection.openStreams, 3);
  peer.sendReset(1, ErrorCode.cancel);
  peer.sendHeaders(9, post);
  assert.ok(events.streams.has(9));
});

test("tells a client that has not finished to stop once the answer is complete (RFC 9113 §8.1)", async () => {
  const { peer, events } = createScriptedServer();
  await peer.shakeHands({ initialWindowSize: 3 });
  peer.sendHeaders(1, post);
  const { stream } = events.stream(1);
  stream?.resetWhenSent(ErrorCode.noError);
  stream?.sendHeaders(ok);
  stream?.sendData(patterned(5));
  stream?.sendTrailers(["a", "b"]);
  assert.deepEqual((await peer.nextOf("DATA")).data.length, 3);
  await peer.expectNothingMore();
  peer.sendWindowUpdate(1, 2);
  assert.equal((await peer.nextOf("HEADERS")).endStream, true);
  await peer.expectReset(1, ErrorCode.noError);
});

test("does not reset after its answer what the client has finished in time", async () => {
  for (const when of ["before the answer", "after it"]) {
    const { peer, events } = createScriptedServer();
    await peer.shakeHands();
    peer.sendHeaders(1, post, { endStream: when === "before the answer" });
    const { stream } = events.stream(1);
    stream?.sendHeaders(ok, true);
    if (when === "after it") peer.sendData(1, "", { endStream: true });
    stream?.resetWhenSent(ErrorCode.noError);
    assert.equal((await peer.nextFrame()).type, "HEADERS");
    await peer.expectNothingMore();
  }
});
