// DATA cut into single bytes (RUSTSEC-2026-0258, CVE-2026-84304), and the honest streams that the first cures of it broke.
import assert from "node:assert/strict";
import { test } from "node:test";
import { smallDataCost } from "../src/connection/abuse/small-data.ts";
import { type ConnectionLimitOptions, ErrorCode, type Http2Stream } from "../src/index.ts";
import { buildFrame, createScriptedServer, type ScriptedConnection, type WireFrame } from "../src/testing/index.ts";
import { post } from "./example-fields.ts";

/** Frames of `bytes` each, in chunks of 500 frames, as many as there are or until the connection has ended. */
async function sendMany(
  { peer, channel, settle }: ScriptedConnection,
  streamId: number,
  bytes: number,
  count: number,
  padding = 0,
): Promise<void> {
  const payload = Buffer.alloc(bytes + (padding > 0 ? 1 + padding : 0), 1);
  if (padding > 0) payload[0] = padding;
  const frame = buildFrame({ type: 0, streamId, flags: padding > 0 ? 8 : 0, payload });
  for (let left = count; left > 0 && !channel.isEnded; left -= 500) {
    peer.sendRaw(Buffer.concat(new Array<Buffer>(Math.min(left, 500)).fill(frame)));
  }
  await settle();
}

interface Open extends ScriptedConnection {
  /** Whether data counts as used up at once. */
  reader: { consumes: boolean; stream: Http2Stream | undefined };
}

async function openServer(limits: ConnectionLimitOptions = {}): Promise<Open> {
  const reader: Open["reader"] = { consumes: false, stream: undefined };
  const scripted = createScriptedServer({
    limits,
    onStream(_recorded, stream) {
      reader.stream = stream;
      stream.listener = {
        ...silent,
        onData(_bytes, start, end) {
          if (reader.consumes) stream.consume(end - start);
        },
      };
    },
  });
  await scripted.peer.shakeHands();
  scripted.peer.sendHeaders(1, post);
  return { ...scripted, reader };
}

const silent = { onHead() {}, onTrailers() {}, onEnd() {}, onReset() {}, onWritable() {} };

/** Six for each: 87,381 of them use up the budget of 524,288. */
const singleBytes = 87_381;

for (const padding of [0, 200]) {
  test(`bears ${singleBytes} single bytes that no one uses up, with padding of ${padding}, and ends the connection at the next`, async () => {
    // Padding is used up at once, so it lets the window grow, and the budget with it.
    const scripted = await openServer({ windows: { maxBytes: 0 } });
    const { peer, events } = scripted;
    await sendMany(scripted, 1, 1, singleBytes, padding);
    assert.deepEqual(events.limits, []);
    await sendMany(scripted, 1, 1, 1, padding);
    assert.deepEqual(events.limits, ["small_data closed"]);
    await peer.expectGoaway(ErrorCode.enhanceYourCalm, "too_many_small_data_frames");
  });
}

test("bears a window full of five-byte frames that no one has used up yet", async () => {
  const scripted = await openServer();
  const { events } = scripted;
  await sendMany(scripted, 1, 5, Math.floor(1_048_576 / 5));
  assert.deepEqual(events.limits, []);
  assert.equal(events.closes, 0);
});

test("bears a million small messages that are read slowly", async () => {
  const scripted = await openServer();
  const { events, peer } = scripted;
  let left = 1_000_000;
  let window = 1_048_576;
  while (left > 0) {
    const count = Math.min(left, Math.floor(window / 5));
    await sendMany(scripted, 1, 5, count);
    left -= count;
    window -= count * 5;
    // The reader takes half of what waits, and the peer gets credit for that.
    scripted.reader.stream?.consume(524_290);
    await scripted.settle();
    for (const frame of await drain(peer))
      if (frame.type === "WINDOW_UPDATE" && frame.streamId === 1) window += frame.increment;
  }
  assert.deepEqual(events.limits, []);
});

test("bears single bytes for ever as long as they are used up", async () => {
  const scripted = await openServer();
  scripted.reader.consumes = true;
  await sendMany(scripted, 1, 1, 300_000);
  assert.deepEqual(scripted.events.limits, []);
});

test("gives back what a stream had cost that was reset", async () => {
  const scripted = await openServer();
  const { peer, events } = scripted;
  for (let id = 1; id < 11; id += 2) {
    if (id > 1) peer.sendHeaders(id, post);
    await sendMany(scripted, id, 1, 80_000);
    peer.sendReset(id, ErrorCode.cancel);
  }
  assert.deepEqual(events.limits, []);
});

test("charges frames of one to six bytes, and none that is empty or ends its stream", () => {
  assert.deepEqual(
    [0, 1, 5, 6, 7, 16_384].map((bytes) => smallDataCost(bytes, false)),
    [0, 6, 2, 1, 0, 0],
  );
  assert.equal(smallDataCost(1, true), 0);
});

async function drain(peer: ScriptedConnection["peer"]): Promise<WireFrame[]> {
  const frames: WireFrame[] = [];
  while (peer.unread.length > 0) frames.push(await peer.nextFrame());
  return frames;
}
