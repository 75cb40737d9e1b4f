// Which frame may come on which stream (RFC 9113 §5.1, §5.1.1, §5.5, §6.6).
import assert from "node:assert/strict";
import { test } from "node:test";
import { ErrorCode } from "../src/index.ts";
import type { ScriptedPeer } from "../src/testing/index.ts";
import { createScriptedClient, createScriptedServer } from "../src/testing/index.ts";
import { ok, patterned, post } from "./example-fields.ts";

const toStreamZero: readonly [what: string, send: (peer: ScriptedPeer) => void][] = [
  ["DATA", (peer) => peer.sendData(0, "x")],
  ["HEADERS", (peer) => peer.sendHeaders(0, post)],
  ["PRIORITY", (peer) => peer.sendPriority(0, 1)],
];
for (const [what, send] of toStreamZero) {
  test(`ends the connection for ${what} on stream 0`, async () => {
    const { peer } = createScriptedServer();
    await peer.shakeHands();
    send(peer);
    await peer.expectGoaway(ErrorCode.protocolError, /stream 0/);
  });
}

for (const [what, send] of [
  ["DATA", (peer: ScriptedPeer) => peer.sendData(5, "x")],
  ["a WINDOW_UPDATE", (peer: ScriptedPeer) => peer.sendWindowUpdate(5, 1)],
  ["an RST_STREAM", (peer: ScriptedPeer) => peer.sendReset(5, 0)],
] as const) {
  test(`ends the connection for ${what} on a stream that was never opened, in either role`, async () => {
    for (const { peer } of [createScriptedServer(), createScriptedClient()]) {
      await peer.shakeHands();
      send(peer);
      await peer.expectGoaway(ErrorCode.protocolError, /never opened/);
    }
  });
}

test("ends a client's connection when the server opens a stream", async () => {
  for (const id of [1, 2]) {
    const { peer } = createScriptedClient();
    await peer.shakeHands();
    peer.sendHeaders(id, ok);
    await peer.expectGoaway(ErrorCode.protocolError);
  }
});

test("ends the connection when a client opens an even stream", async () => {
  const { peer } = createScriptedServer();
  await peer.shakeHands();
  peer.sendHeaders(2, post);
  await peer.expectGoaway(ErrorCode.protocolError);
});

test("lets a client skip identifiers, and treats the skipped ones as closed", async () => {
  const { peer, events } = createScriptedServer();
  await peer.shakeHands();
  peer.sendHeaders(2 ** 31 - 1, post);
  assert.ok(events.streams.has(2 ** 31 - 1));
  peer.sendHeaders(7, post);
  await peer.expectGoaway(ErrorCode.streamClosed);
});

test("ignores the reserved bit of an identifier", async () => {
  const { peer, events } = createScriptedServer();
  await peer.shakeHands();
  peer.sendFrame({ type: 1, flags: 5, streamId: 1, reservedBit: 1, payload: peer.encodeHeaders(post) });
  assert.deepEqual(events.stream(1).log, ["end"]);
});

for (const [what, send] of [
  ["DATA", (peer: ScriptedPeer) => peer.sendData(1, "x")],
  ["HEADERS", (peer: ScriptedPeer) => peer.sendHeaders(1, ["a", "b"], { endStream: true })],
] as const) {
  test(`resets a stream on which ${what} comes after its end`, async () => {
    const { peer, events } = createScriptedServer();
    await peer.shakeHands();
    peer.sendHeaders(1, post, { endStream: true });
    send(peer);
    await peer.expectReset(1, ErrorCode.streamClosed);
    assert.deepEqual(events.stream(1).log, ["end", "reset"]);
    await peer.expectAlive();
  });
}

test("ends the connection for a broken PRIORITY on a stream no one opened, which cannot be reset", async () => {
  for (const [send, code] of [
    [(peer: ScriptedPeer) => peer.sendPriority(5, 5), ErrorCode.protocolError],
    [
      (peer: ScriptedPeer) => peer.sendFrame({ type: 2, streamId: 5, payload: Buffer.alloc(4) }),
      ErrorCode.frameSizeError,
    ],
  ] as const) {
    const { peer } = createScriptedServer();
    await peer.shakeHands();
    send(peer);
    await peer.expectGoaway(code);
  }
});

test("ignores PRIORITY on streams in every state", async () => {
  const { peer, events } = createScriptedServer();
  await peer.shakeHands();
  peer.sendHeaders(1, post, { endStream: true });
  for (const id of [1, 3, 2, 2 ** 31 - 1]) peer.sendPriority(id, 0);
  events.stream(1).stream?.sendHeaders(ok, true);
  await peer.nextOf("HEADERS");
  peer.sendPriority(1, 0);
  await peer.expectAlive();
});

for (let type = 0x0a; type <= 0xff; type++) {
  test(`ignores frames of the unknown type 0x${type.toString(16)}, whatever their size, flags and stream`, async () => {
    const { peer, events } = createScriptedServer();
    await peer.shakeHands();
    peer.sendHeaders(1, post);
    for (const bytes of [0, 1, 8, 16_384]) {
      for (const streamId of [0, 1, 2, 99]) {
        peer.sendFrame({ type, flags: 0xff, streamId, payload: Buffer.alloc(bytes, 0xff) });
      }
    }
    await peer.expectAlive();
    peer.sendData(1, "x", { endStream: true });
    assert.deepEqual(events.stream(1).log, ["data 1", "end"]);
  });
}

test("bears 1000 unknown frames at once and 100 a second for ever, and no more", async () => {
  const { peer, clock } = createScriptedServer();
  await peer.shakeHands();
  const flood = (count: number): void => {
    for (let i = 0; i < count; i++) peer.sendFrame({ type: 0xbe });
  };
  flood(1000);
  for (let second = 0; second < 50; second++) {
    clock.advance(1000);
    flood(100);
  }
  await peer.expectAlive();
  flood(1);
  await peer.expectGoaway(ErrorCode.enhanceYourCalm, "too_many_glitches");
});

const glitches: readonly [what: string, send: (peer: ScriptedPeer) => void][] = [
  ["empty DATA (CVE-2019-9518)", (peer) => peer.sendData(1, "")],
  ["DATA of nothing but padding", (peer) => peer.sendData(1, "", { padding: 10 })],
  ["PRIORITY (CVE-2019-9513)", (peer) => peer.sendPriority(1)],
  ["acknowledgements of SETTINGS that no one waits for", (peer) => peer.sendSettingsAck()],
];

for (const [what, send] of glitches) {
  test(`bears 1000 of ${what} at once, and ends the connection at the next`, async () => {
    const { peer, events, settle } = createScriptedServer();
    await peer.shakeHands();
    peer.sendHeaders(1, post);
    for (let i = 0; i < 1000; i++) send(peer);
    assert.deepEqual(events.stream(1).log, [], "the application hears nothing of it");
    await settle();
    assert.ok(peer.unread.every((frame) => frame.type === "WINDOW_UPDATE"));
    send(peer);
    await peer.expectGoaway(ErrorCode.enhanceYourCalm, "too_many_glitches");
  });
}

test("takes a million small DATA frames with content", async () => {
  const { peer, events, settle } = createScriptedServer();
  await peer.shakeHands();
  peer.sendHeaders(1, post);
  const recorded = events.stream(1);
  let bytes = 0;
  const stream = recorded.stream;
  assert.ok(stream !== undefined);
  stream.listener = {
    onHead() {},
    onData(_bytes, start, end) {
      bytes += end - start;
      stream.consume(end - start);
    },
    onTrailers() {},
    onEnd() {},
    onReset: (error) => assert.fail(error.message),
    onWritable() {},
  };
  const frame = Buffer.from("000001000000000001" + "61", "hex");
  const chunk = Buffer.concat(Array.from({ length: 10_000 }, () => frame));
  for (let i = 0; i < 100; i++) {
    peer.sendRaw(chunk);
    await settle();
  }
  await settle();
  assert.equal(bytes, 1_000_000);
});

for (const role of ["server", "client"] as const) {
  test(`ends the connection when a PUSH_PROMISE comes to a ${role}`, async () => {
    const { peer, connection } = role === "server" ? createScriptedServer() : createScriptedClient();
    await peer.shakeHands();
    if (role === "client") {
      connection.request(post, [], true, {
        onHead() {},
        onData() {},
        onTrailers() {},
        onEnd() {},
        onReset() {},
        onWritable() {},
      });
    } else {
      peer.sendHeaders(1, post);
    }
    peer.sendPushPromise(1, 2, post);
    await peer.expectGoaway(ErrorCode.protocolError, /push/);
  });
}

test("takes a frame of exactly the limit, and ends the connection at one byte more", async () => {
  const { peer, events } = createScriptedServer();
  await peer.shakeHands();
  peer.sendHeaders(1, post);
  peer.sendData(1, patterned(16_384));
  assert.deepEqual(events.stream(1).log, ["data 16384"]);
  peer.sendData(1, patterned(16_385));
  await peer.expectGoaway(ErrorCode.frameSizeError);
});

test("opens streams of a client by odd identifiers that rise", async () => {
  const { peer, request } = createScriptedClient();
  await peer.shakeHands();
  for (const id of [1, 3, 5]) {
    assert.equal(request(post, { endStream: true }).stream?.id, id);
    assert.equal((await peer.nextOf("HEADERS")).streamId, id);
  }
});

test("bears late frames on streams that a client has cancelled, and gives their credit back", async () => {
  const { peer, request, clock } = createScriptedClient({ limits: { windows: { connectionBytes: 65_535 } } });
  await peer.shakeHands();
  const recorded = request(post, { endStream: true });
  recorded.stream?.reset();
  await peer.expectReset(1, ErrorCode.cancel);
  clock.advance(9000);
  peer.sendHeaders(1, [...ok, "x-indexed", "late"]);
  for (let i = 0; i < 3; i++) peer.sendData(1, patterned(13_000));
  peer.sendHeaders(1, ["a", "b"], { endStream: true });
  assert.deepEqual(await peer.nextFrame(), { type: "WINDOW_UPDATE", streamId: 0, increment: 39_000 });
  await peer.expectAlive();
  assert.deepEqual(recorded.log, []);
});

for (const [what, send] of [
  ["DATA", (peer: ScriptedPeer) => peer.sendData(1, "x", { endStream: true })],
  ["HEADERS", (peer: ScriptedPeer) => peer.sendHeaders(1, ["a", "b"], { endStream: true })],
] as const) {
  test(`ends a client's connection for ${what} on a stream that the server has ended`, async () => {
    const { peer, request } = createScriptedClient();
    await peer.shakeHands();
    const recorded = request(post, { endStream: true });
    peer.sendHeaders(1, ok, { endStream: true });
    send(peer);
    await peer.expectGoaway(ErrorCode.streamClosed, /stream 1 after its end/);
    assert.deepEqual(recorded.log, ["head 200", "end"]);
  });

  test(`answers ${what} on a stream that the server has reset with a reset, once the client knows of it`, async () => {
    const { peer, request } = createScriptedClient();
    await peer.shakeHands();
    request(post, { endStream: true });
    peer.sendHeaders(1, ok);
    peer.sendReset(1, ErrorCode.cancel);
    send(peer);
    await peer.expectReset(1, ErrorCode.streamClosed);
    await peer.expectAlive();
  });
}

test("reads the same conversation whatever bytes it is cut at", async () => {
  for (const sliceBytes of [1, 2, 3, 7, 10, 100]) {
    const { peer, events } = createScriptedServer();
    peer.sliceBytes = sliceBytes;
    await peer.shakeHands();
    peer.sendRaw(peer.headersFrame(1, [...post, "content-length", "20000"], { padding: 3 }));
    peer.sendData(1, patterned(20_000).subarray(0, 16_383), { padding: 0 });
    peer.sendData(1, patterned(20_000).subarray(16_383));
    peer.sendHeaders(1, ["x", "y"], { endStream: true });
    peer.sendPing("0102030405060708");
    const { body, log } = events.stream(1);
    assert.ok(body.equals(patterned(20_000)));
    assert.deepEqual(log.slice(-2), ["trailers", "end"]);
    assert.equal((await peer.nextOf("PING")).payload, "0102030405060708");
  }
});
