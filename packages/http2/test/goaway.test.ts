// RFC 9113 §6.8: how a connection ends without losing a request, from either side.
import assert from "node:assert/strict";
import { test } from "node:test";
import { ErrorCode, type Http2Connection } from "../src/index.ts";
import { createScriptedClient, createScriptedServer } from "../src/testing/index.ts";
import { ok, patterned, post } from "./example-fields.ts";

const maxStreamId = 2 ** 31 - 1;

test("drains as a server: no last stream yet, a ping, then the last stream, then the end", async () => {
  const { peer, connection, events, channel, clock } = createScriptedServer();
  await peer.shakeHands();
  peer.sendHeaders(1, post, { endStream: true });
  connection.drain("shutdown");
  assert.deepEqual(await peer.nextFrame(), { type: "GOAWAY", lastStreamId: maxStreamId, code: 0, debug: "shutdown" });
  const ping = await peer.nextFrame();
  assert.ok(ping.type === "PING" && !ping.ack);
  // A request that crosses the first GOAWAY is served.
  peer.sendHeaders(3, post, { endStream: true });
  peer.sendPing(ping.payload, { ack: true });
  assert.deepEqual(await peer.nextFrame(), { type: "GOAWAY", lastStreamId: 3, code: 0, debug: "shutdown" });
  for (const id of [1, 3]) {
    assert.equal(channel.isEnded, false);
    events.stream(id).stream?.sendHeaders(ok, true);
    await peer.nextOf("HEADERS");
  }
  await peer.whenClosed();
  assert.equal(channel.isEnded, true);
  channel.closeByPeer();
  await peer.expectNothingMore();
  assert.deepEqual([events.closes, events.closeError], [1, undefined]);
  assert.equal(clock.pendingTimers, 0);
});

test("ignores everything of requests after the last stream, and serves those before", async () => {
  const { peer, connection, events } = createScriptedServer();
  await peer.shakeHands();
  peer.sendHeaders(1, post);
  connection.drain();
  const ping = await peer.nextOf("PING");
  peer.sendPing(ping.payload, { ack: true });
  await peer.nextOf("GOAWAY");
  for (const id of [3, 5]) {
    peer.sendHeaders(id, [...post, `x-${id}`, "indexed all the same"]);
    peer.sendData(id, patterned(100));
    peer.sendWindowUpdate(id, 1);
    peer.sendHeaders(id, ["trailer", "t"], { endStream: true });
    peer.sendReset(id, ErrorCode.cancel);
  }
  await peer.expectNothingMore();
  assert.deepEqual([...events.streams.keys()], [1]);
  // The table is in step: the trailers refer to what the ignored requests put into it.
  peer.sendHeaders(1, ["x-5", "indexed all the same"], { endStream: true });
  assert.deepEqual(events.stream(1).trailers?.fields, ["x-5", "indexed all the same"]);
});

test("names the last stream after 5 seconds when the ping is not answered", async () => {
  const { peer, connection, clock } = createScriptedServer();
  await peer.shakeHands();
  peer.sendHeaders(1, post);
  connection.drain();
  await peer.nextOf("PING");
  clock.advance(4999);
  await peer.expectNothingMore();
  clock.advance(1);
  assert.equal((await peer.nextOf("GOAWAY")).lastStreamId, 1);
  await peer.expectNothingMore();
});

test("says and does nothing more when it is drained twice", async () => {
  const { peer, connection } = createScriptedServer();
  await peer.shakeHands();
  peer.sendHeaders(1, post);
  connection.drain();
  connection.drain();
  await peer.nextOf("PING");
  await peer.expectNothingMore();
});

test("never names a later stream than before, even when it has to end the connection after all", async () => {
  const { peer, connection } = createScriptedServer();
  await peer.shakeHands();
  peer.sendHeaders(1, post);
  connection.drain();
  peer.sendPing((await peer.nextOf("PING")).payload, { ack: true });
  await peer.nextOf("GOAWAY");
  peer.sendHeaders(9, post);
  connection.close(ErrorCode.internalError, "enough");
  assert.equal((await peer.expectGoaway(ErrorCode.internalError, "enough")).lastStreamId, 1);
});

test("ends a drained server only when its handlers have ended, too", async () => {
  const { peer, connection, events, channel, settle } = createScriptedServer({
    onStream: (_recorded, stream) => stream.hold(),
  });
  await peer.shakeHands();
  peer.sendHeaders(1, post);
  peer.sendReset(1, ErrorCode.cancel);
  connection.drain();
  peer.sendPing((await peer.nextOf("PING")).payload, { ack: true });
  await settle();
  assert.equal(channel.isEnded, false);
  events.stream(1).stream?.release();
  await settle();
  assert.equal(channel.isEnded, true);
});

test("answers nothing after its end, so that a drain stays one in good order", async () => {
  const { peer, connection, channel, events, settle } = createScriptedServer();
  await peer.shakeHands();
  connection.drain();
  peer.sendPing((await peer.nextOf("PING")).payload, { ack: true });
  await peer.whenClosed();
  peer.sendPing();
  peer.sendSettings();
  peer.sendHeaders(1, post);
  await settle();
  assert.equal(events.streams.size, 0);
  channel.closeByPeer();
  await settle();
  assert.deepEqual([events.closes, events.closeError], [1, undefined]);
});

test("gives the last answers of a drain the time that a slow reader takes", async () => {
  const { peer, connection, channel, clock, events, settle } = createScriptedServer();
  await peer.shakeHands({ initialWindowSize: 100_000 });
  peer.sendHeaders(1, post, { endStream: true });
  connection.drain();
  peer.sendPing((await peer.nextOf("PING")).payload, { ack: true });
  await peer.nextOf("GOAWAY");
  channel.holdWrites();
  events.stream(1).stream?.sendHeaders(ok);
  events.stream(1).stream?.sendData(patterned(60_000), true);
  await settle();
  for (let second = 0; second < 50; second++) {
    channel.releaseWrites(1024);
    clock.advance(1000);
    await settle();
  }
  assert.equal(channel.isDestroyed, false);
  channel.releaseWrites();
  clock.advance(1000);
  await settle();
  assert.equal(channel.isDestroyed, true);
  let bytes = 0;
  for (const frame of peer.unread) if (frame.type === "DATA") bytes += frame.data.length;
  assert.equal(bytes, 60_000);
  assert.equal(events.closeError, undefined);
  assert.equal(clock.pendingTimers, 0);
});

test("drains as a client: says so, lets its requests end, then closes", async () => {
  const { peer, connection, channel, events, request, settle } = createScriptedClient();
  await peer.shakeHands();
  const recorded = request(post, { endStream: true });
  connection.drain("bye");
  assert.equal(connection.canOpenStream, false);
  assert.equal((await peer.expectGoaway(ErrorCode.noError, "bye")).lastStreamId, 0);
  assert.equal(channel.isEnded, false);
  peer.sendHeaders(1, ok, { endStream: true });
  await peer.whenClosed();
  assert.deepEqual(recorded.log, ["head 200", "end"]);
  channel.closeByPeer();
  await settle();
  assert.deepEqual([events.closes, events.closeError], [1, undefined]);
});

test("calls requests above the server's last stream unprocessed, and lets the others end", async () => {
  const { peer, connection, channel, events, request, settle } = createScriptedClient();
  await peer.shakeHands();
  const [first, second, third] = [request(post), request(post), request(post)];
  peer.sendGoaway(maxStreamId, ErrorCode.noError, "soon");
  assert.equal(connection.isAcceptingRequests, false);
  assert.deepEqual([first.log, second.log, third.log], [[], [], []]);
  peer.sendGoaway(3, ErrorCode.noError);
  assert.equal(third.error?.unprocessed, true);
  assert.deepEqual([first.log, second.log, third.log], [[], [], ["reset"]]);
  assert.deepEqual(events.goaways, [
    { lastStreamId: maxStreamId, code: 0, debug: "soon" },
    { lastStreamId: 3, code: 0, debug: "" },
  ]);
  for (const id of [1, 3]) {
    peer.sendHeaders(id, ok, { endStream: true });
  }
  await settle();
  // The server has answered early, so both are open on this side until it ends them.
  first.stream?.sendData(patterned(1), true);
  second.stream?.sendData(patterned(1), true);
  await peer.whenClosed();
  assert.equal(channel.isEnded, true);
});

test("calls every request unprocessed when the server's last stream is 0", async () => {
  const { peer, request } = createScriptedClient();
  await peer.shakeHands();
  const recorded = request(post);
  peer.sendGoaway(0, ErrorCode.enhanceYourCalm, "too_many_pings");
  assert.deepEqual([recorded.error?.unprocessed, recorded.error?.code], [true, ErrorCode.enhanceYourCalm]);
});

test("ends the connection of a server whose last stream rises", async () => {
  const { peer, request } = createScriptedClient();
  await peer.shakeHands();
  request(post);
  await peer.nextOf("HEADERS");
  peer.sendGoaway(1, ErrorCode.noError);
  peer.sendGoaway(1, ErrorCode.noError);
  await peer.expectAlive();
  peer.sendGoaway(3, ErrorCode.noError);
  await peer.expectGoaway(ErrorCode.protocolError);
});

test("ends the connection of a server whose last stream is one that only servers open", async () => {
  for (const [lastStreamId, ends] of [
    [0, false],
    [2, true],
    [2 ** 31 - 1, false],
    [2 ** 31 - 2, true],
  ] as const) {
    // biome-ignore format: a table
    const { peer } = createScriptedClient();
    await peer.shakeHands();
    peer.sendGoaway(lastStreamId, ErrorCode.noError);
    const goaway = await peer.nextOf("GOAWAY").catch(() => undefined);
    assert.equal(goaway?.code === ErrorCode.protocolError, ends, `last stream ${lastStreamId}`);
  }
});

for (const [what, frame, code] of [
  ["on a stream", { streamId: 1, payload: Buffer.alloc(8) }, ErrorCode.protocolError],
  ["of 7 bytes", { payload: Buffer.alloc(7) }, ErrorCode.frameSizeError],
] as const) {
  test(`ends the connection for a GOAWAY ${what}`, async () => {
    const { peer } = createScriptedServer();
    await peer.shakeHands();
    peer.sendFrame({ type: 7, ...frame });
    await peer.expectGoaway(code);
  });
}

test("closes at once with the code and reason given, resets what is open, and is gone after one second at most", async () => {
  const { peer, connection, channel, clock, events, settle } = createScriptedServer();
  await peer.shakeHands();
  peer.sendHeaders(1, post);
  connection.close(ErrorCode.enhanceYourCalm, "too_many_pings\n");
  assert.deepEqual(await peer.nextFrame(), { type: "GOAWAY", lastStreamId: 1, code: 0xb, debug: "too_many_pings?" });
  assert.deepEqual(events.stream(1).log, ["reset"]);
  assert.equal(channel.isEnded, true);
  peer.sendHeaders(3, post);
  peer.sendPing();
  await peer.expectNothingMore();
  clock.advance(999);
  assert.equal(channel.isDestroyed, false);
  clock.advance(1);
  assert.equal(channel.isDestroyed, true);
  await settle();
  assert.deepEqual([events.closes, events.closeError?.code, events.closeError?.blame], [1, 0xb, "local"]);
  assert.equal(clock.pendingTimers, 0);
});

test("reports a connection that was closed without a fault as ended in good order", async () => {
  const { connection, channel, events, clock, settle } = createScriptedServer();
  connection.close();
  connection.close(ErrorCode.internalError);
  channel.closeByPeer();
  await settle();
  assert.deepEqual([events.closes, events.closeError], [1, undefined]);
  assert.equal(clock.pendingTimers, 0);
});

test("closes a connection on which a drain has already begun, without leaving a timer", async () => {
  const { peer, connection, channel, clock, events, settle } = createScriptedServer();
  await peer.shakeHands();
  peer.sendHeaders(1, post);
  connection.drain();
  connection.close(ErrorCode.noError, "the server shut down");
  channel.closeByPeer();
  await settle();
  assert.equal(events.closes, 1);
  assert.equal(clock.pendingTimers, 0);
});

for (const [what, cause, open, inGoodOrder] of [
  ["ends without streams", undefined, false, true],
  ["ends in the middle of a request", undefined, true, false],
  ["breaks without streams", new Error("ECONNRESET"), false, false],
  ["breaks in the middle of a request", new Error("ECONNRESET"), true, false],
] as const) {
  test(`${inGoodOrder ? "reports no error" : "reports an error"} when the socket ${what}`, async () => {
    const { peer, channel, events, clock, settle } = createScriptedServer();
    await peer.shakeHands();
    if (open) peer.sendHeaders(1, post);
    channel.closeByPeer(cause);
    await settle();
    assert.equal(events.closes, 1);
    assert.equal(events.closeError === undefined, inGoodOrder);
    assert.equal(events.closeError?.cause, inGoodOrder ? undefined : cause);
    if (open) assert.deepEqual(events.stream(1).log, ["reset"]);
    assert.equal(clock.pendingTimers, 0);
  });
}

for (const [what, goaway, message] of [
  ["without a GOAWAY", undefined, "the peer closed the connection"],
  ["after a GOAWAY without debug data", [ErrorCode.noError, ""], "the peer closed the connection (NO_ERROR)"],
  [
    "after a GOAWAY that says why",
    [ErrorCode.enhanceYourCalm, "too_many_pings"],
    "the peer closed the connection: too_many_pings (ENHANCE_YOUR_CALM)",
  ],
  [
    "after a GOAWAY whose debug data would forge a line",
    [ErrorCode.noError, "bye\nERROR"],
    "the peer closed the connection: bye\\x0aERROR (NO_ERROR)",
  ],
] as const) {
  test(`names the reason to the streams of a connection that the peer closes ${what}`, async () => {
    const { peer, channel, events, request, settle } = createScriptedClient();
    await peer.shakeHands();
    const recorded = request(post);
    await settle();
    if (goaway !== undefined) peer.sendGoaway(1, goaway[0], goaway[1]);
    channel.closeByPeer();
    await settle();
    assert.equal(recorded.error?.message, message);
    assert.equal(events.closeError?.message, message);
  });
}

test("names the reason of the latest GOAWAY when the socket breaks, and to requests that the peer did not act on", async () => {
  const { peer, channel, request, settle } = createScriptedClient();
  await peer.shakeHands();
  const [first, second] = [request(post), request(post)];
  await settle();
  peer.sendGoaway(maxStreamId, ErrorCode.noError, "shutdown");
  peer.sendGoaway(1, ErrorCode.enhanceYourCalm, "too_many_pings");
  channel.closeByPeer(new Error("ECONNRESET"));
  await settle();
  assert.equal(first.error?.message, "the connection was lost: too_many_pings (ENHANCE_YOUR_CALM)");
  assert.equal(
    second.error?.message,
    "the peer went away before it acted on the stream: too_many_pings (ENHANCE_YOUR_CALM)",
  );
});

for (const [what, end] of [
  ["after a fatal GOAWAY", (connection: Http2Connection) => connection.close(ErrorCode.enhanceYourCalm, "enough")],
  ["after a drain", (connection: Http2Connection) => connection.drain()],
] as const) {
  test(`takes a window of data and 256 KiB of other frames ${what}, reads no more, and closes after a second`, async () => {
    const limits = { windows: { streamBytes: 1_000_000, connectionBytes: 1_000_000 } };
    const { peer, connection, channel, clock, settle } = createScriptedServer({ limits });
    await peer.shakeHands();
    end(connection);
    await settle();
    for (const frame of peer.unread) if (frame.type === "PING") peer.sendPing(frame.payload, { ack: true });
    await settle();
    assert.equal(channel.isEnded, true);
    for (let sent = 0; sent < 1_000_000; sent += 10_000) peer.sendRaw(patterned(10_000));
    peer.sendRaw(patterned(262_144));
    await settle();
    assert.equal(channel.isPaused, false);
    peer.sendRaw("x");
    assert.equal(channel.isPaused, true);
    clock.advance(999);
    assert.equal(channel.isDestroyed, false);
    clock.advance(1);
    assert.equal(channel.isDestroyed, true);
  });
}
