// What the peer may send: credit comes back for what has been used up, and for nothing else (RFC 9113 §5.2, §6.9).
import assert from "node:assert/strict";
import { test } from "node:test";
import type { WindowLimits } from "../src/connection/limits.ts";
import { ErrorCode } from "../src/index.ts";
import { createScriptedClient, createScriptedServer, type ScriptedConnection } from "../src/testing/index.ts";
import { ok, patterned, post } from "./example-fields.ts";

const limits = { windows: { streamBytes: 1000, connectionBytes: 65_535 } };

/** A server with small windows and a request open whose data is not used up by itself. */
async function receiving(windows: Partial<WindowLimits> = {}): Promise<ScriptedConnection> {
  const scripted = createScriptedServer({
    limits: { windows: { ...limits.windows, ...windows } },
    onStream: (recorded) => {
      recorded.consumes = false;
    },
  });
  await scripted.peer.shakeHands();
  scripted.peer.sendHeaders(1, post);
  return scripted;
}

/** What is given back by the next frames, until nothing more comes: by stream, 0 for the connection. */
async function credits({ peer, settle }: ScriptedConnection): Promise<Record<number, number>> {
  await settle();
  const sums: Record<number, number> = {};
  while (peer.unread.length > 0) {
    const frame = await peer.nextFrame();
    assert.ok(frame.type === "WINDOW_UPDATE", `expected only window updates, got ${frame.type}`);
    sums[frame.streamId] = (sums[frame.streamId] ?? 0) + frame.increment;
  }
  return sums;
}

test("takes data up to the stream's window, and resets the stream at one byte more", async () => {
  const scripted = await receiving();
  scripted.peer.sendData(1, patterned(1000));
  await scripted.peer.expectAlive();
  scripted.peer.sendData(1, "x");
  await scripted.peer.expectReset(1, ErrorCode.flowControlError);
  assert.deepEqual(scripted.events.stream(1).log, ["data 1000", "reset"]);
  await scripted.peer.expectAlive();
});

test("takes data up to the connection's window, and ends the connection at one byte more", async () => {
  const scripted = await receiving({ streamBytes: 100_000 });
  for (let sent = 0; sent < 65_535; sent += 13_107) scripted.peer.sendData(1, patterned(13_107));
  await scripted.peer.expectAlive();
  scripted.peer.sendData(1, "x");
  await scripted.peer.expectGoaway(ErrorCode.flowControlError);
});

test("gives no credit for data that no one has used up", async () => {
  const scripted = await receiving();
  scripted.peer.sendData(1, patterned(1000));
  await scripted.peer.expectNothingMore();
});

test("gives the stream credit once half its window has been used up", async () => {
  const scripted = await receiving();
  scripted.peer.sendData(1, patterned(1000));
  const { stream } = scripted.events.stream(1);
  stream?.consume(499);
  await scripted.peer.expectNothingMore();
  stream?.consume(1);
  assert.deepEqual(await credits(scripted), { 1: 500 });
});

test("gives no more credit than data came, whatever is said to be used up", async () => {
  const scripted = await receiving();
  scripted.peer.sendData(1, patterned(600));
  scripted.events.stream(1).stream?.consume(5000);
  assert.deepEqual(await credits(scripted), { 1: 600 });
  scripted.events.stream(1).stream?.consume(5000);
  await scripted.peer.expectNothingMore();
});

test("gives a stream no credit when its data has ended, but the connection", async () => {
  const scripted = await receiving({ streamBytes: 40_000 });
  for (let i = 0; i < 3; i++) scripted.peer.sendData(1, patterned(13_000), { endStream: i === 2 });
  scripted.events.stream(1).stream?.consume(39_000);
  assert.deepEqual(await credits(scripted), { 0: 39_000 });
});

test("counts padding and its length byte, and gives their credit back at once", async () => {
  const scripted = await receiving();
  // 3 × (1 + 247), of which the application never hears.
  for (let i = 0; i < 3; i++) scripted.peer.sendData(1, "12345", { padding: 247 });
  assert.deepEqual(scripted.events.stream(1).body.toString(), "123451234512345");
  assert.deepEqual(await credits(scripted), { 1: 744 });
  scripted.events.stream(1).stream?.consume(15);
  await scripted.peer.expectNothingMore();
});

test("takes padding of every length, down to a frame of nothing else", async () => {
  const scripted = await receiving({ streamBytes: 65_535 });
  for (const padding of [0, 1, 255]) scripted.peer.sendData(1, "ab", { padding });
  scripted.peer.sendData(1, "", { padding: 255 });
  scripted.peer.sendData(1, "", { padding: 0, endStream: true });
  assert.deepEqual(scripted.events.stream(1).log, ["data 2", "data 2", "data 2", "end"]);
});

test("ends the connection for padding that is longer than the frame", async () => {
  const scripted = await receiving();
  scripted.peer.sendFrame({ type: 0, flags: 8, streamId: 1, payload: Buffer.of(2, 0) });
  await scripted.peer.expectGoaway(ErrorCode.protocolError);
});

test("stops a peer whose consumer does not consume, and lets another stream go on", async () => {
  const scripted = await receiving();
  scripted.peer.sendData(1, patterned(1000));
  scripted.peer.sendHeaders(3, post);
  scripted.events.stream(3).consumes = true;
  for (let round = 0; round < 100; round++) {
    scripted.peer.sendData(3, patterned(500));
    const given = await credits(scripted);
    assert.equal(given[3], 500);
    assert.equal(given[1], undefined);
  }
  assert.equal(scripted.events.stream(3).body.length, 50_000);
});

test("receives 1 MiB through a window of 1000 bytes, whole and in order", async () => {
  const scripted = createScriptedServer({ limits });
  await scripted.peer.shakeHands();
  scripted.peer.sendHeaders(1, post);
  const body = patterned(1_048_576);
  const windows: Record<number, number> = { 0: 65_535, 1: 1000 };
  for (let at = 0; at < body.length; ) {
    const take = Math.min(windows[0] as number, windows[1] as number, body.length - at);
    assert.ok(take > 0, "the windows never close while everything is used up");
    scripted.peer.sendData(1, body.subarray(at, at + take), { endStream: at + take === body.length });
    at += take;
    for (const id of [0, 1]) windows[id] = (windows[id] as number) - take;
    const given = await credits(scripted);
    for (const id of [0, 1]) windows[id] = (windows[id] as number) + (given[id] ?? 0);
  }
  assert.ok(scripted.events.stream(1).body.equals(body));
  assert.equal(scripted.events.stream(1).log.at(-1), "end");
});

const ways: readonly [what: string, finish: (scripted: ScriptedConnection, id: number) => void][] = [
  ["the peer resets", ({ peer }, id) => peer.sendReset(id, ErrorCode.cancel)],
  ["we reset", ({ events }, id) => events.stream(id).stream?.reset()],
  ["breaks a rule", ({ peer }, id) => peer.sendWindowUpdate(id, 0)],
  ["sends more than its content-length", ({ peer }, id) => peer.sendData(id, Buffer.alloc(14_000))],
];

for (const [what, finish] of ways) {
  test(`gives the connection back what a stream held that ${what}`, async () => {
    const scripted = await receiving({ streamBytes: 40_000 });
    const { peer, settle } = scripted;
    let window = 65_535;
    let id = 1;
    for (let round = 0; round < 20; round++) {
      id += 2;
      peer.sendHeaders(id, [...post, "content-length", "20000"]);
      assert.ok(window >= 34_000, `only ${window} bytes are left in round ${round}`);
      peer.sendData(id, patterned(13_000));
      finish(scripted, id);
      window -= what.startsWith("sends") ? 27_000 : 13_000;
      // What crosses a reset counts as well.
      if (what === "we reset") {
        peer.sendData(id, patterned(7_000));
        window -= 7_000;
      }
      await settle();
      while (peer.unread.length > 0) {
        const frame = await peer.nextFrame();
        if (frame.type === "WINDOW_UPDATE" && frame.streamId === 0) window += frame.increment;
      }
    }
    await peer.expectAlive();
  });
}

test("counts data on refused and finished streams and gives it back", async () => {
  const scripted = createScriptedServer({
    limits: { windows: { ...limits.windows, streamBytes: 36_000 }, streams: { maxConcurrent: 0 } },
  });
  const { peer } = scripted;
  await peer.shakeHands();
  peer.sendHeaders(1, post);
  await peer.expectReset(1, ErrorCode.refusedStream);
  for (let i = 0; i < 4; i++) peer.sendData(1, patterned(9000));
  assert.deepEqual(await credits(scripted), { 0: 36_000 });
});

test("lets a request that began before our SETTINGS were acknowledged use the initial window", async () => {
  const scripted = createScriptedServer({ limits: { windows: { streamBytes: 10 } } });
  const { peer, events } = scripted;
  peer.sendSettings();
  peer.sendHeaders(1, post);
  peer.sendData(1, patterned(11));
  peer.sendSettingsAck();
  peer.sendHeaders(3, post);
  peer.sendData(3, patterned(11));
  await peer.expectReset(3, ErrorCode.flowControlError);
  assert.deepEqual(events.stream(1).log, ["data 11"]);
});

test("keeps giving credit on a stream that is older than the acknowledgement of a small window", async () => {
  const { peer, request, events } = createScriptedClient({ limits: { windows: { streamBytes: 100 } } });
  const recorded = request(post, { endStream: true });
  await peer.shakeHands();
  peer.sendHeaders(1, ok);
  for (let i = 0; i < 10; i++) {
    peer.sendData(1, patterned(100));
    let given = 0;
    while (given < 100) given += (await peer.nextOf("WINDOW_UPDATE")).increment;
    assert.equal(given, 100);
  }
  assert.equal(recorded.body.length, 1000);
  assert.equal(events.closes, 0);
});

test("lets other streams go on next to one with a full window that no one reads, with the windows as they are by default", async () => {
  const scripted = createScriptedServer({
    onStream: (recorded, stream) => {
      recorded.consumes = stream.id !== 1;
    },
  });
  const { peer } = scripted;
  await peer.shakeHands();
  peer.sendHeaders(1, post);
  for (let sent = 0; sent < 1_048_576; sent += 16_384) peer.sendData(1, patterned(16_384));
  const given = await creditsBeside(scripted);
  assert.equal(given[1], undefined);
  assert.ok((given[0] ?? 0) >= 786_432, `the connection got ${given[0]}`);
  peer.sendHeaders(3, post);
  peer.sendData(3, patterned(16_384), { endStream: true });
  await peer.expectAlive();
  assert.deepEqual(scripted.events.stream(3).log, ["data 16384", "end"]);
});

test("holds no more for streams that no one reads than it may, whatever their number", async () => {
  const scripted = createScriptedServer({
    limits: { windows: { maxBytes: 4 * 1_048_576 } },
    onStream: (recorded) => {
      recorded.consumes = false;
    },
  });
  const { peer } = scripted;
  await peer.shakeHands();
  let window = 1_048_576;
  let sent = 0;
  for (let streamId = 1; window >= 16_384; streamId += 2) {
    peer.sendHeaders(streamId, post);
    for (let ofStream = 0; ofStream < 1_048_576 && window >= 16_384; ofStream += 16_384) {
      peer.sendData(streamId, patterned(16_384));
      sent += 16_384;
      window += (await creditsBeside(scripted))[0] ?? 0;
      window -= 16_384;
    }
  }
  assert.ok(sent <= 4 * 1_048_576, `${sent} bytes are held`);
  assert.ok(sent > 3.5 * 1_048_576, `${sent} bytes are held`);
});

test("gives the connection credit for what is left unread of a stream that has ended", async () => {
  const { peer, request, settle } = createScriptedClient({ limits: { windows: { connectionBytes: 65_535 } } });
  await peer.shakeHands();
  const recorded = request(post, { endStream: true });
  recorded.consumes = false;
  await peer.nextOf("HEADERS");
  peer.sendHeaders(1, ok);
  for (let sent = 0; sent < 3; sent++) peer.sendData(1, patterned(16_384));
  await peer.expectNothingMore();
  peer.sendHeaders(1, ["status", "done"], { endStream: true });
  const update = await peer.nextOf("WINDOW_UPDATE");
  assert.deepEqual([update.streamId, update.increment], [0, 49_152]);
  recorded.stream?.consume(49_152);
  await settle();
  assert.equal(peer.unread.length, 0);
});

/** The same as `credits`, next to PINGs that measure the link. */
async function creditsBeside({ peer, settle }: ScriptedConnection): Promise<Record<number, number>> {
  await settle();
  const sums: Record<number, number> = {};
  while (peer.unread.length > 0) {
    const frame = await peer.nextFrame();
    if (frame.type === "WINDOW_UPDATE") sums[frame.streamId] = (sums[frame.streamId] ?? 0) + frame.increment;
    else assert.equal(frame.type, "PING");
  }
  return sums;
}
