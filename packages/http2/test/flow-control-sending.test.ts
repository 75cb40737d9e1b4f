// What we may send: RFC 9113 §5.2 and §6.9, seen from a server that answers and a client that asks.
import assert from "node:assert/strict";
import { test } from "node:test";
import { ErrorCode } from "../src/index.ts";
import type { Stream } from "../src/stream/stream.ts";
import {
  createScriptedClient,
  createScriptedServer,
  type ScriptedConnection,
  type ScriptedOptions,
} from "../src/testing/index.ts";
import type { SettingsValues } from "../src/testing/scripted-peer.ts";
import { ok, patterned, post } from "./example-fields.ts";

interface Answering extends ScriptedConnection {
  stream: Stream;
}

/** A server with one request open that is to be answered; its response head has been read. */
async function answering(settings: SettingsValues = {}, options: ScriptedOptions = {}): Promise<Answering> {
  const scripted = createScriptedServer(options);
  await scripted.peer.shakeHands(settings);
  return { ...scripted, stream: await openStream(scripted, 1) };
}

async function openStream({ peer, events }: ScriptedConnection, id: number): Promise<Stream> {
  peer.sendHeaders(id, post, { endStream: true });
  const stream = events.stream(id).stream as Stream;
  stream.sendHeaders(ok);
  await peer.nextOf("HEADERS");
  return stream;
}

/** Reads DATA frames until nothing more comes; returns the bytes by stream and in sum. */
async function readData({
  peer,
  settle,
}: ScriptedConnection): Promise<{ bytes: Buffer; ended: boolean; sizes: number[] }> {
  await settle();
  const parts: Buffer[] = [];
  let ended = false;
  while (peer.unread.length > 0) {
    const frame = await peer.nextFrame();
    assert.ok(frame.type === "DATA", `expected only DATA, got ${frame.type}`);
    parts.push(frame.data);
    ended ||= frame.endStream;
  }
  return { bytes: Buffer.concat(parts), ended, sizes: parts.map((part) => part.length) };
}

test("sends up to the stream's window and not one byte more", async () => {
  const scripted = await answering({ initialWindowSize: 10 });
  scripted.stream.sendData(patterned(11), true);
  assert.deepEqual(await readData(scripted), { bytes: patterned(10), ended: false, sizes: [10] });
  scripted.peer.sendWindowUpdate(1, 1);
  assert.deepEqual(await readData(scripted), { bytes: patterned(11).subarray(10), ended: true, sizes: [1] });
});

test("ends the stream with the last byte that the window allows", async () => {
  const scripted = await answering({ initialWindowSize: 10 });
  scripted.stream.sendData(patterned(10), true);
  assert.deepEqual(await readData(scripted), { bytes: patterned(10), ended: true, sizes: [10] });
  assert.equal(scripted.connection.openStreams, 0);
});

test("sends nothing while the stream's window is 0, but the headers", async () => {
  const scripted = await answering({ initialWindowSize: 0 });
  scripted.stream.sendData(patterned(1));
  await scripted.peer.expectNothingMore();
  scripted.peer.sendWindowUpdate(0, 100);
  await scripted.peer.expectNothingMore();
  scripted.peer.sendWindowUpdate(1, 1);
  assert.deepEqual((await readData(scripted)).sizes, [1]);
});

test("ends a stream without data although its window is 0", async () => {
  const scripted = await answering({ initialWindowSize: 0 });
  scripted.stream.sendData(new Uint8Array(0), true);
  assert.deepEqual(await readData(scripted), { bytes: Buffer.alloc(0), ended: true, sizes: [0] });
});

test("sends trailers at once when no data waits, whatever the window", async () => {
  const scripted = await answering({ initialWindowSize: 0 });
  scripted.stream.sendTrailers(["a", "b"]);
  assert.deepEqual(await scripted.peer.nextFrame(), {
    type: "HEADERS",
    streamId: 1,
    endStream: true,
    fields: ["a", "b"],
  });
});

test("sends trailers after the data that waits", async () => {
  const scripted = await answering({ initialWindowSize: 4 });
  scripted.stream.sendData(patterned(6));
  scripted.stream.sendTrailers(["a", "b"]);
  assert.deepEqual((await readData(scripted)).sizes, [4]);
  scripted.peer.sendWindowUpdate(1, 2);
  assert.deepEqual(await scripted.peer.nextFrame(), {
    type: "DATA",
    streamId: 1,
    endStream: false,
    data: patterned(6).subarray(4),
  });
  assert.deepEqual(await scripted.peer.nextFrame(), {
    type: "HEADERS",
    streamId: 1,
    endStream: true,
    fields: ["a", "b"],
  });
  await scripted.peer.expectNothingMore();
});

test("keeps to the connection's window of 65,535 whatever the streams' windows are", async () => {
  const scripted = await answering({ initialWindowSize: 1_000_000 });
  scripted.stream.sendData(patterned(70_000), true);
  assert.equal((await readData(scripted)).bytes.length, 65_535);
  scripted.peer.sendWindowUpdate(1, 10_000);
  await scripted.peer.expectNothingMore();
  scripted.peer.sendWindowUpdate(0, 4464);
  assert.deepEqual((await readData(scripted)).sizes, [4464]);
  scripted.peer.sendWindowUpdate(0, 1);
  const last = await readData(scripted);
  assert.deepEqual([last.sizes, last.ended], [[1], true]);
});

test("shares the connection's window between streams, a frame each in turn", async () => {
  const scripted = await answering({ initialWindowSize: 1_000_000 });
  const second = await openStream(scripted, 3);
  scripted.stream.sendData(Buffer.alloc(65_535));
  await readData(scripted);
  scripted.stream.sendData(Buffer.alloc(40_000));
  second.sendData(Buffer.alloc(40_000));
  await scripted.peer.expectNothingMore();
  scripted.peer.sendWindowUpdate(0, 65_536);
  await scripted.settle();
  const order = scripted.peer.unread.map((frame) => frame.type === "DATA" && frame.streamId);
  assert.deepEqual(order, [1, 3, 1, 3]);
});

test("an update for one stream gives that one its turn and none of the others that wait, which keep theirs", async () => {
  const scripted = await answering({ initialWindowSize: 0 });
  const { peer, stream } = scripted;
  let looks = 0;
  const others: Stream[] = [];
  for (let id = 3; id < 200; id += 2) {
    const other = await openStream(scripted, id);
    other.sendData(patterned(10), true);
    const { send } = other;
    let { available } = send;
    Object.defineProperty(send, "available", {
      get() {
        looks++;
        return available;
      },
      set(bytes: number) {
        available = bytes;
      },
    });
    others.push(other);
  }
  stream.sendData(patterned(10));
  stream.sendData(patterned(20), true);
  await scripted.settle();
  looks = 0;
  for (let i = 0; i < 30; i++) peer.sendWindowUpdate(1, 1);
  assert.equal(looks, 0);
  const { ended, sizes } = await readData(scripted);
  assert.deepEqual([ended, sizes.reduce((sum, size) => sum + size, 0)], [true, 30]);
  for (const other of others) peer.sendWindowUpdate(other.id, 10);
  assert.equal((await readData(scripted)).sizes.length, others.length);
  assert.ok(others.every((other) => other.isClosed));
});

test("cuts data by the peer's SETTINGS_MAX_FRAME_SIZE", async () => {
  const scripted = createScriptedServer();
  scripted.peer.maxFrameBytes = 20_000;
  await scripted.peer.shakeHands({ maxFrameSize: 20_000 });
  const stream = await openStream(scripted, 1);
  stream.sendData(patterned(50_000), true);
  const { sizes, bytes } = await readData(scripted);
  assert.deepEqual(sizes, [20_000, 20_000, 10_000]);
  assert.ok(bytes.equals(patterned(50_000)));
});

test("sends 1 MiB through windows of 1000 bytes, whole and in order", async () => {
  const scripted = await answering({ initialWindowSize: 1000 });
  const body = patterned(1_048_576);
  scripted.stream.sendData(body, true);
  const parts: Buffer[] = [];
  for (;;) {
    const frame = await scripted.peer.nextFrame();
    assert.ok(frame.type === "DATA");
    assert.ok(frame.data.length <= 1000);
    parts.push(frame.data);
    if (frame.endStream) break;
    scripted.peer.sendRaw(windowUpdates(1, frame.data.length));
  }
  assert.ok(Buffer.concat(parts).equals(body));
  await scripted.peer.expectAlive();
});

/** An update of the stream's window and one of the connection's, in one chunk. */
function windowUpdates(streamId: number, bytes: number): Buffer {
  const both = Buffer.from("000004080000000000" + "00000000" + "000004080000000000" + "00000000", "hex");
  both.writeUInt32BE(bytes, 9);
  both.writeUInt32BE(streamId, 18);
  both.writeUInt32BE(bytes, 22);
  return both;
}

test("lets a smaller initial window make a stream's window negative, and waits until updates have filled it", async () => {
  const scripted = await answering({ initialWindowSize: 100 });
  scripted.stream.sendData(patterned(300));
  assert.equal((await readData(scripted)).bytes.length, 100);
  scripted.peer.sendSettings({ initialWindowSize: 40 });
  assert.equal((await scripted.peer.nextFrame()).type, "SETTINGS");
  // 0 by then, less 60.
  scripted.peer.sendWindowUpdate(1, 60);
  await scripted.peer.expectNothingMore();
  scripted.peer.sendWindowUpdate(1, 1);
  assert.deepEqual((await readData(scripted)).sizes, [1]);
  const second = await openStream(scripted, 3);
  second.sendData(patterned(300));
  assert.deepEqual((await readData(scripted)).sizes, [40]);
});

test("sends what a larger initial window allows as soon as it comes", async () => {
  const scripted = await answering({ initialWindowSize: 0 });
  scripted.stream.sendData(patterned(50));
  await scripted.peer.expectNothingMore();
  scripted.peer.sendSettings({ initialWindowSize: 30 });
  await scripted.settle();
  const frames = [await scripted.peer.nextFrame(), await scripted.peer.nextFrame()];
  assert.deepEqual(frames.map((frame) => frame.type).sort(), ["DATA", "SETTINGS"]);
  scripted.peer.sendSettings({ initialWindowSize: 31 });
  await scripted.settle();
  assert.ok(scripted.peer.unread.some((frame) => frame.type === "DATA" && frame.data.length === 1));
});

test("applies every entry of SETTINGS in order", async () => {
  const scripted = await answering();
  scripted.peer.sendSettings([[4, 5], [4, 7]]); // biome-ignore format: a list of entries
  await scripted.peer.nextFrame();
  const second = await openStream(scripted, 3);
  second.sendData(patterned(100));
  assert.deepEqual((await readData(scripted)).sizes, [7]);
});

for (const [what, streamId, increment, taken] of [
  ["the connection's window to 2^31-1", 0, 2 ** 31 - 1 - 65_535, true],
  ["the connection's window over 2^31-1", 0, 2 ** 31 - 65_535, false],
] as const) {
  test(`${taken ? "lets an update raise" : "ends the connection when an update raises"} ${what}`, async () => {
    const { peer } = await answering();
    peer.sendWindowUpdate(streamId, increment);
    if (taken) await peer.expectAlive();
    else await peer.expectGoaway(ErrorCode.flowControlError);
  });
}

test("lets an update raise a stream's window to 2^31-1, and resets the stream above that", async () => {
  const { peer, events } = await answering({ initialWindowSize: 0 });
  peer.sendWindowUpdate(1, 2 ** 31 - 1);
  await peer.expectAlive();
  peer.sendWindowUpdate(1, 1);
  await peer.expectReset(1, ErrorCode.flowControlError);
  assert.equal(events.stream(1).error?.code, ErrorCode.flowControlError);
  await peer.expectAlive();
});

test("ends the connection when SETTINGS raise a stream's window over 2^31-1", async () => {
  const { peer } = await answering({ initialWindowSize: 1 });
  peer.sendWindowUpdate(1, 1);
  peer.sendSettings({ initialWindowSize: 2 ** 31 - 2 });
  await peer.nextOf("SETTINGS");
  await peer.expectAlive();
  peer.sendSettings({ initialWindowSize: 2 ** 31 - 1 });
  await peer.expectGoaway(ErrorCode.flowControlError);
});

test("ends the connection for an update of 0 on it, and the stream for one on a stream", async () => {
  const { peer, events } = await answering();
  peer.sendWindowUpdate(1, 0);
  await peer.expectReset(1, ErrorCode.protocolError);
  assert.deepEqual(events.stream(1).log, ["end", "reset"]);
  peer.sendWindowUpdate(0, 0);
  await peer.expectGoaway(ErrorCode.protocolError);
});

test("ignores updates of a stream that is over", async () => {
  const { peer, stream } = await answering();
  stream.sendData(patterned(1), true);
  await peer.nextOf("DATA");
  peer.sendWindowUpdate(1, 2 ** 31 - 1);
  peer.sendWindowUpdate(1, 2 ** 31 - 1);
  await peer.expectAlive();
});

test("tells the producer to hold back at 64 KiB that wait, and calls when there is room", async () => {
  const { peer, stream, events, settle } = await answering({ initialWindowSize: 0 });
  const { log } = events.stream(1);
  assert.equal(stream.sendData(Buffer.alloc(65_535)), true);
  assert.equal(stream.sendData(Buffer.alloc(1)), false);
  await settle();
  assert.deepEqual(log, ["end"]);
  peer.sendWindowUpdate(1, 1);
  assert.deepEqual(log, ["end", "writable"]);
  peer.sendWindowUpdate(1, 1);
  assert.deepEqual(log, ["end", "writable"], "only once for each time that sendData asked to wait");
});

test("does not call a producer that was never asked to wait", async () => {
  const { peer, stream, events } = await answering({ initialWindowSize: 10 });
  stream.sendData(Buffer.alloc(20));
  peer.sendWindowUpdate(1, 5);
  peer.sendWindowUpdate(1, 5);
  assert.deepEqual(events.stream(1).log, ["end"]);
});

test("takes data from within the call that says there is room", async () => {
  const scripted = await answering({ initialWindowSize: 0 }, { limits: { output: { streamBufferBytes: 10 } } });
  const recorded = scripted.events.stream(1);
  let refills = 0;
  recorded.during = (call, stream) => {
    if (call !== "writable") return;
    do refills++;
    while (refills < 5 && stream.sendData(patterned(10)));
    if (refills === 5) stream.sendData(patterned(10), true);
  };
  scripted.stream.sendData(patterned(10));
  scripted.peer.sendWindowUpdate(1, 1000);
  const { bytes, ended } = await readData(scripted);
  assert.deepEqual([bytes.length, ended, refills], [60, true, 5]);
});

test("ends a stream once although another's listener sends on it while both have their turn", async () => {
  const scripted = createScriptedServer({ limits: { output: { streamBufferBytes: 1 } } });
  const { peer, events, settle } = scripted;
  await peer.shakeHands({ initialWindowSize: 1_000_000 });
  // The clients' sides stay open, so that a second end would be a frame on a stream that still exists.
  const [filler, first, second] = [1, 3, 5].map((id) => {
    peer.sendHeaders(id, post);
    return events.stream(id).stream as Stream;
  }) as [Stream, Stream, Stream];
  filler.sendData(patterned(65_535));
  first.sendData(patterned(40_000));
  second.sendData(patterned(10));
  // Called in the second round, when the first stream has had its frame and comes again in the third.
  events.stream(5).during = (call) => {
    if (call === "writable") first.sendData(patterned(50_000), true);
  };
  peer.sendWindowUpdate(0, 2 * 16_384 + 10);
  peer.sendWindowUpdate(0, 1_000_000);
  await settle();
  const frames = peer.unread.filter((frame) => frame.type === "DATA" && frame.streamId === 3);
  assert.equal(frames.filter((frame) => "endStream" in frame && frame.endStream).length, 1);
  await peer.nextOf("DATA");
  assert.equal(first.pendingBytes, 0);
});

test("stops adding data when the socket holds 1 MiB back, and goes on when it has sent that", async () => {
  const scripted = await answering({ initialWindowSize: 2 ** 31 - 1 });
  scripted.peer.sendWindowUpdate(0, 2 ** 30);
  scripted.channel.holdWrites();
  const body = patterned(3_000_000);
  assert.equal(scripted.stream.sendData(body, true), false);
  await scripted.settle();
  const held = scripted.channel.writableLength;
  assert.ok(held >= 1_048_576 && held < 1_048_576 + 2 * 16_384, `${held}`);
  scripted.channel.releaseWrites();
  const { bytes, ended } = await readData(scripted);
  assert.ok(bytes.equals(body) && ended);
});

for (const highWaterMark of [1, 65_536, 10_000_000]) {
  for (const connectionSendBufferBytes of [1, 1000, 100_000]) {
    test(`sends everything with room for ${connectionSendBufferBytes} in a socket that reports at ${highWaterMark}`, async () => {
      const scripted = await answering(
        { initialWindowSize: 2 ** 31 - 1 },
        { limits: { output: { connectionBufferBytes: connectionSendBufferBytes } }, highWaterMark },
      );
      scripted.peer.sendWindowUpdate(0, 2 ** 30);
      const body = patterned(500_000);
      scripted.stream.sendData(body.subarray(0, 5000));
      scripted.stream.sendData(body.subarray(5000), true);
      const { bytes, ended } = await readData(scripted);
      assert.ok(bytes.equals(body) && ended, `${bytes.length} bytes came`);
    });
  }
}

test("still answers pings and sends headers while the socket takes no more data", async () => {
  const scripted = await answering(
    { initialWindowSize: 2 ** 31 - 1 },
    { limits: { output: { connectionBufferBytes: 1000 } } },
  );
  scripted.channel.holdWrites();
  scripted.stream.sendData(patterned(16_384));
  scripted.stream.sendData(patterned(16_384));
  await scripted.settle();
  const held = scripted.channel.writableLength;
  scripted.peer.sendPing();
  scripted.peer.sendHeaders(3, post, { endStream: true });
  scripted.events.stream(3).stream?.sendHeaders(ok, true);
  await scripted.settle();
  assert.ok(scripted.channel.writableLength > held + 17);
  scripted.channel.releaseWrites();
});

test("takes the short way for data that fits, and refuses it where data has to wait", async () => {
  const { peer, stream, channel, settle } = await answering({ initialWindowSize: 5 });
  const offset = stream.reserveData(5);
  stream.outputBytes.set([1, 2, 3, 4, 5], offset);
  stream.commitData(offset, 5, false);
  assert.deepEqual(await peer.nextFrame(), {
    type: "DATA",
    streamId: 1,
    endStream: false,
    data: Buffer.of(1, 2, 3, 4, 5),
  });
  assert.equal(stream.reserveData(1), -1, "the window is used up");
  peer.sendWindowUpdate(1, 3);
  assert.equal(stream.reserveData(4), -1);
  stream.sendData(Buffer.alloc(4));
  peer.sendWindowUpdate(1, 0x7fff);
  await settle();
  assert.equal(stream.reserveData(8192), -1, "large payloads travel as buffers of their own");
  const last = stream.reserveData(2);
  stream.outputBytes.set([8, 9], last);
  stream.commitData(last, 2, true);
  await settle();
  assert.deepEqual(peer.unread.at(-1), { type: "DATA", streamId: 1, endStream: true, data: Buffer.of(8, 9) });
  assert.equal(stream.reserveData(1), -1, "the stream has ended");
  assert.equal(channel.writableLength, 0);
});

test("does not let the short way overtake data that waits", async () => {
  const { stream } = await answering({ initialWindowSize: 5 });
  stream.sendData(Buffer.alloc(6));
  assert.equal(stream.reserveData(0), -1);
});

test("throws to the caller that sends on a stream which has ended, and harms nothing", async () => {
  const { peer, stream } = await answering();
  stream.sendData(patterned(1), true);
  assert.throws(() => stream.sendData(patterned(1)), /takes nothing more/);
  assert.throws(() => stream.sendTrailers([]), /takes nothing more/);
  assert.throws(() => stream.sendHeaders(ok), /takes nothing more/);
  await peer.nextOf("DATA");
  await peer.expectAlive();
});

test("forgets what a reset stream still had to send", async () => {
  const { peer, stream, settle } = await answering({ initialWindowSize: 3 });
  stream.sendData(patterned(10), true);
  await peer.nextOf("DATA");
  peer.sendReset(1, ErrorCode.cancel);
  peer.sendSettings({ initialWindowSize: 100 });
  await settle();
  assert.deepEqual(peer.unread.map((frame) => frame.type), ["SETTINGS"]); // biome-ignore format: short
  assert.equal(stream.pendingBytes, 0);
});

test("keeps a client's upload to the server's windows in the same way", async () => {
  const { peer, request, settle } = createScriptedClient();
  await peer.shakeHands({ initialWindowSize: 4 });
  const recorded = request(post);
  recorded.stream?.sendData(patterned(10), true);
  await peer.nextOf("HEADERS");
  assert.deepEqual(await peer.nextFrame(), { type: "DATA", streamId: 1, endStream: false, data: patterned(4) });
  await peer.expectNothingMore();
  peer.sendWindowUpdate(1, 100);
  await settle();
  assert.deepEqual(await peer.nextFrame(), {
    type: "DATA",
    streamId: 1,
    endStream: true,
    data: patterned(10).subarray(4),
  });
});

test("shifts the window of a request that was sent before the server's SETTINGS came", async () => {
  const { peer, request, settle } = createScriptedClient();
  const recorded = request(post);
  recorded.stream?.sendData(patterned(100));
  await peer.nextOf("DATA");
  peer.sendSettings({ initialWindowSize: 60 });
  peer.sendWindowUpdate(1, 40);
  recorded.stream?.sendData(patterned(1));
  await settle();
  assert.ok(peer.unread.every((frame) => frame.type !== "DATA"));
  peer.sendWindowUpdate(1, 1);
  assert.equal((await peer.nextOf("DATA")).data.length, 1);
});
