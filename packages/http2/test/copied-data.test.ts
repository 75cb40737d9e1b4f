// Data that is copied into the connection's output: how it is cut, and that it leaves while the turn is still running.
import assert from "node:assert/strict";
import { test } from "node:test";
import { outputSlabs } from "../src/bytes/slab-pool.ts";
import type { Stream } from "../src/stream/stream.ts";
import { createScriptedServer, type ScriptedConnection, type ScriptedOptions } from "../src/testing/index.ts";
import type { SettingsValues } from "../src/testing/scripted-peer.ts";
import { ok, patterned, post } from "./example-fields.ts";

const prefix = Buffer.of(0, 1, 2, 3, 4);

interface Answering extends ScriptedConnection {
  readonly stream: Stream;
}

async function answering(settings: SettingsValues, options: ScriptedOptions = {}): Promise<Answering> {
  const scripted = createScriptedServer(options);
  await scripted.peer.shakeHands(settings);
  scripted.peer.sendWindowUpdate(0, 2 ** 30);
  scripted.peer.sendHeaders(1, post, { endStream: true });
  const stream = scripted.events.stream(1).stream as Stream;
  stream.sendHeaders(ok);
  await scripted.peer.nextOf("HEADERS");
  return { ...scripted, stream };
}

async function dataFrames({ peer, settle }: ScriptedConnection): Promise<{ data: Buffer; endStream: boolean }[]> {
  await settle();
  const frames: { data: Buffer; endStream: boolean }[] = [];
  while (peer.unread.length > 0) {
    const frame = await peer.nextFrame();
    assert.ok(frame.type === "DATA", `expected only DATA, got ${frame.type}`);
    frames.push({ data: frame.data, endStream: frame.endStream });
  }
  return frames;
}

test("joins prefix and body, cuts them at the largest frame, and ends the stream with the last", async () => {
  const scripted = await answering({ initialWindowSize: 1_000_000 });
  const body = patterned(40_000);
  assert.equal(scripted.stream.copyData(prefix, body, true), true);
  body.fill(0xff);
  const frames = await dataFrames(scripted);
  assert.deepEqual(
    frames.map(({ data, endStream }) => [data.length, endStream]),
    [
      [16_384, false],
      [16_384, false],
      [40_005 - 2 * 16_384, true],
    ],
  );
  assert.ok(Buffer.concat(frames.map(({ data }) => data)).equals(Buffer.concat([prefix, patterned(40_000)])));
  assert.equal(scripted.stream.copyData(prefix, body, false), false, "the stream has ended");
});

test("fills what a slab has left, and sends every byte once", async () => {
  const scripted = await answering({ initialWindowSize: 10_000_000 });
  const sent: Buffer[] = [];
  for (let n = 0; n < 60; n++) {
    const body = Buffer.alloc(9000 + n * 777, n + 1);
    sent.push(prefix, body);
    assert.equal(scripted.stream.copyData(prefix, body, false), true);
  }
  const frames = await dataFrames(scripted);
  assert.ok(Buffer.concat(frames.map(({ data }) => data)).equals(Buffer.concat(sent)));
  // More than each message cut for itself would have: some were cut at a slab's end, none into crumbs.
  assert.ok(frames.every(({ data }) => data.length <= 16_384));
});

test("sends nothing of what does not fit a window or waits behind other data", async () => {
  const scripted = await answering({ initialWindowSize: 10_000 });
  assert.equal(scripted.stream.copyData(prefix, patterned(9_996), false), false, "the stream's window is too small");
  assert.equal(scripted.stream.copyData(prefix, patterned(9_995), false), true);
  assert.deepEqual(
    (await dataFrames(scripted)).map(({ data }) => data.length),
    [10_000],
  );
  scripted.peer.sendWindowUpdate(1, 5);
  scripted.stream.sendData(Buffer.alloc(6));
  scripted.peer.sendWindowUpdate(1, 5);
  assert.equal(scripted.stream.pendingBytes, 0);
  scripted.stream.sendData(Buffer.alloc(10));
  assert.equal(scripted.stream.copyData(Buffer.of(1), Buffer.of(2), false), false, "data waits");
});

test("waits with all of it while the socket is full", async () => {
  const limits = { output: { connectionBufferBytes: 100_000 } };
  const scripted = await answering({ initialWindowSize: 10_000_000 }, { limits });
  scripted.channel.holdWrites();
  const body = patterned(50_000);
  let sent = 0;
  while (scripted.stream.copyData(prefix, body, false)) sent += prefix.length + body.length;
  await scripted.settle();
  assert.ok(sent >= 100_000 && sent < 250_000, `${sent} bytes were taken`);
  scripted.channel.releaseWrites();
  const bytes = (await dataFrames(scripted)).reduce((sum, { data }) => sum + data.length, 0);
  assert.equal(bytes, sent);
});

test("hands a slab's worth to the socket before the turn ends, and no more than the connection's buffer", async () => {
  const limits = { output: { connectionBufferBytes: 200_000 } };
  const scripted = await answering({ initialWindowSize: 10_000_000 }, { limits });
  const body = patterned(4_096);
  const handed: number[] = [];
  let sent = 0;
  // No turn ends between these.
  while (scripted.stream.copyData(prefix, body, false)) {
    sent += prefix.length + body.length;
    handed.push(scripted.peer.unread.reduce((sum, it) => sum + (it.type === "DATA" ? it.data.length : 0), 0));
  }
  assert.equal(handed[5], 0, "little waits for the rest of the turn");
  assert.ok((handed[20] as number) > 60_000, `${handed[20]} bytes have left`);
  const most = Math.max(...handed);
  assert.ok(most >= 200_000 && most < 300_000, `${most} bytes left in one turn`);
  assert.ok(sent < 600_000, `${sent} bytes were taken in one turn`);
  const bytes = (await dataFrames(scripted)).reduce((sum, { data }) => sum + data.length, 0);
  assert.equal(bytes, sent);
});

test("uses its slabs again, however many a write takes", async (t) => {
  const scripted = await answering({ initialWindowSize: 2 ** 31 - 1 });
  const body = patterned(30_000);
  const send = async (): Promise<void> => {
    for (let n = 0; n < 30; n++) scripted.stream.copyData(prefix, body, false);
    await scripted.settle();
    while (scripted.peer.unread.length > 0) await scripted.peer.nextFrame();
  };
  await send();
  const make = t.mock.method(Buffer, "allocUnsafeSlow");
  for (let round = 0; round < 20; round++) {
    // Half of the rounds leave late, many slabs together.
    if (round % 2 === 0) scripted.channel.holdWrites();
    const sending = send();
    setImmediate(() => scripted.channel.releaseWrites());
    await sending;
  }
  const made = make.mock.calls.filter(({ arguments: [bytes] }) => bytes === outputSlabs.slabBytes).length;
  assert.ok(made <= 32, `${made} slabs were made for 18 MB`);
});
