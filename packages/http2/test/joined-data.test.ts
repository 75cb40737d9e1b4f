// Small data that a stream sends again and again within a turn leaves as one frame, in its place among the stream's other frames.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Stream } from "../src/stream/stream.ts";
import { createScriptedServer, type ScriptedConnection } from "../src/testing/index.ts";
import type { SettingsValues } from "../src/testing/scripted-peer.ts";
import { ok, post } from "./example-fields.ts";

interface Serving extends ScriptedConnection {
  readonly streams: readonly Stream[];
}

async function serving(count: number, settings: SettingsValues = {}): Promise<Serving> {
  const scripted = createScriptedServer();
  await scripted.peer.shakeHands(settings);
  const streams: Stream[] = [];
  for (let id = 1; id < 2 * count; id += 2) {
    scripted.peer.sendHeaders(id, post, { endStream: true });
    const stream = scripted.events.stream(id).stream as Stream;
    stream.sendHeaders(ok);
    streams.push(stream);
    await scripted.peer.nextOf("HEADERS");
  }
  return { ...scripted, streams };
}

/** As a layer above sends a message. */
function send(stream: Stream, text: string, endStream = false): void {
  const bytes = Buffer.from(text);
  const offset = stream.reserveData(bytes.length);
  assert.notEqual(offset, -1);
  stream.outputBytes.set(bytes, offset);
  stream.commitData(offset, bytes.length, endStream);
}

/** What was sent: `id: content` of DATA frames, with a `.` after the last of a stream, and the type of others. */
async function sentFrames({ peer, settle }: ScriptedConnection): Promise<string[]> {
  await settle();
  const sent: string[] = [];
  while (peer.unread.length > 0) {
    const frame = await peer.nextFrame();
    if (frame.type === "DATA") sent.push(`${frame.streamId}: ${frame.data}${frame.endStream ? "." : ""}`);
    else sent.push(`${"streamId" in frame ? frame.streamId : 0}: ${frame.type}`);
  }
  return sent;
}

test("sends the first message of a turn as it is, and joins the others", async () => {
  const scripted = await serving(1);
  const [stream] = scripted.streams as [Stream];
  for (const text of ["a", "b", "c", "d"]) send(stream, text);
  assert.deepEqual(await sentFrames(scripted), ["1: a", "1: bcd"]);
  send(stream, "e");
  assert.deepEqual(await sentFrames(scripted), ["1: e"]);
});

test("joins the messages of each stream where those of several alternate", async () => {
  const scripted = await serving(3);
  for (const text of ["a", "b", "c"]) for (const stream of scripted.streams) send(stream, text);
  const sent = await sentFrames(scripted);
  assert.deepEqual(sent, ["1: a", "3: a", "5: a", "1: bc", "3: bc", "5: bc"]);
});

test("keeps the order of a stream's frames: data, large data, trailers", async () => {
  const scripted = await serving(1);
  const [stream] = scripted.streams as [Stream];
  send(stream, "a");
  send(stream, "b");
  send(stream, "c".repeat(600));
  send(stream, "d");
  send(stream, "e");
  stream.copyData(Buffer.from("f"), Buffer.from("g"), false);
  send(stream, "h");
  stream.sendData(Buffer.from("i"));
  send(stream, "j");
  stream.sendTrailers(["x-end", "1"]);
  assert.deepEqual(await sentFrames(scripted), [
    "1: a",
    "1: b",
    `1: ${"c".repeat(600)}`,
    "1: de",
    "1: fg",
    "1: h",
    "1: i",
    "1: j",
    "1: HEADERS",
  ]);
});

test("ends the stream with the frame that has joined its last message", async () => {
  const scripted = await serving(1);
  const [stream] = scripted.streams as [Stream];
  send(stream, "a");
  send(stream, "b");
  send(stream, "c", true);
  assert.deepEqual(await sentFrames(scripted), ["1: a", "1: bc."]);
});

test("sends what was joined before a reset, which comes last", async () => {
  const scripted = await serving(1);
  const [stream] = scripted.streams as [Stream];
  send(stream, "a");
  send(stream, "b");
  stream.reset();
  assert.deepEqual(await sentFrames(scripted), ["1: a", "1: b", "1: RST_STREAM"]);
});

test("makes another frame once there is enough for one, and loses nothing of more streams than can join", async () => {
  const scripted = await serving(40, { initialWindowSize: 1_000_000 });
  scripted.peer.sendWindowUpdate(0, 10_000_000);
  const expected = new Map<number, string>();
  for (let n = 0; n < 50; n++) {
    for (const stream of scripted.streams) {
      const text = `${stream.id}-${n};`.padEnd(100 + n, "x");
      expected.set(stream.id, (expected.get(stream.id) ?? "") + text);
      send(stream, text);
    }
  }
  const received = new Map<number, string>();
  const sent = await sentFrames(scripted);
  for (const frame of sent) {
    const [id, content] = frame.split(": ") as [string, string];
    received.set(Number(id), (received.get(Number(id)) ?? "") + content);
  }
  assert.deepEqual(received, expected);
  assert.ok(sent.length < 40 * 50 * 0.4, `${sent.length} frames for 2000 messages`);
});

test("takes the windows as the data is taken, not when its frame is made", async () => {
  const scripted = await serving(1, { initialWindowSize: 10 });
  const [stream] = scripted.streams as [Stream];
  for (const text of ["abc", "def", "ghi"]) send(stream, text);
  assert.equal(stream.reserveData(2), -1);
  send(stream, "j");
  assert.deepEqual(await sentFrames(scripted), ["1: abc", "1: defghij"]);
});
