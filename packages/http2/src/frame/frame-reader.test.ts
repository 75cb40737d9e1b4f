import assert from "node:assert/strict";
import { test } from "node:test";
import { ErrorCode } from "../errors/error-code.ts";
import { Http2Error } from "../errors/http2-error.ts";
import { writeFrameHeader } from "./frame-header.ts";
import { type FrameHead, FrameReader } from "./frame-reader.ts";
import { workOfFrame } from "./turn-work.ts";

interface Seen {
  type: number;
  flags: number;
  streamId: number;
  payload: string;
}

/** Stands for the flags of a piece of a DATA frame before its last. */
const piece = -1;

function frame(type: number, flags: number, streamId: number, payload: Uint8Array): Buffer {
  const bytes = Buffer.alloc(9 + payload.length);
  writeFrameHeader(bytes, 0, payload.length, type, flags, streamId);
  bytes.set(payload, 9);
  return bytes;
}

/** As a client opens: SETTINGS, WINDOW_UPDATE, HEADERS, DATA in two frames, an unknown frame, empty frames in between. */
const frames: readonly Buffer[] = [
  frame(4, 0, 0, Buffer.from("000300000064000400010000", "hex")),
  frame(4, 1, 0, new Uint8Array(0)),
  frame(8, 0, 0, Buffer.from("000f0001", "hex")),
  frame(1, 4, 1, Buffer.from("828684418cf1e3c2e5f23a6ba0ab90f4ff", "hex")),
  frame(0, 0, 1, Buffer.from("hello")),
  frame(0x42, 0xff, 0x7fff_ffff, new Uint8Array(1)),
  frame(0, 1, 1, new Uint8Array(0)),
];
const recording = Buffer.concat(frames);
const expected: readonly Seen[] = frames.map((bytes) => ({
  type: bytes[3] as number,
  flags: bytes[4] as number,
  streamId: bytes.readUInt32BE(5),
  payload: bytes.toString("hex", 9),
}));

function reader(maxFrameBytes = 16_384, onFrame?: () => void): { seen: Seen[]; reader: FrameReader } {
  const seen: Seen[] = [];
  const sink = {
    onFrame({ type, flags, streamId, isPiece }: FrameHead, bytes: Uint8Array, start: number, end: number): void {
      if (isPiece) assert.deepEqual([type, flags], [0, 0]);
      const payload = Buffer.from(bytes.subarray(start, end)).toString("hex");
      seen.push({ type, flags: isPiece ? piece : flags, streamId, payload });
      onFrame?.();
    },
  };
  return { seen, reader: new FrameReader(sink, maxFrameBytes) };
}

/** As many frames as one turn of the event loop may read. */
function read(target: FrameReader, bytes: Uint8Array, start: number, maxFrames: number): number {
  target.work.done = 0;
  return target.read(bytes, start, maxFrames * workOfFrame);
}

function feed(target: FrameReader, ...chunks: Uint8Array[]): void {
  for (const chunk of chunks) {
    // A copy that is overwritten afterwards: what the reader keeps must not be the socket's memory.
    const copy = Uint8Array.from(chunk);
    assert.equal(read(target, copy, 0, 512), copy.length);
    copy.fill(0xee);
  }
}

const isTooLarge = (error: unknown): boolean =>
  error instanceof Http2Error && error.scope === "connection" && error.code === ErrorCode.frameSizeError;

test("reads a whole recording in one chunk", () => {
  const one = reader();
  feed(one.reader, recording);
  assert.deepEqual(one.seen, expected);
  assert.equal(one.reader.isInsideFrame, false);
  assert.equal(one.reader.framesRead, frames.length);
});

test("reads the same frames whatever byte one cut falls on", () => {
  for (let cut = 0; cut <= recording.length; cut++) {
    const one = reader();
    feed(one.reader, recording.subarray(0, cut), recording.subarray(cut));
    assert.deepEqual(one.seen, expected, `cut at ${cut}`);
    assert.equal(one.reader.isInsideFrame, false, `cut at ${cut}`);
  }
});

test("reads the same frames whatever bytes two cuts fall on", () => {
  for (let first = 0; first <= recording.length; first++) {
    for (let second = first; second <= recording.length; second++) {
      const one = reader();
      feed(one.reader, recording.subarray(0, first), recording.subarray(first, second), recording.subarray(second));
      assert.deepEqual(one.seen, expected, `cut at ${first} and ${second}`);
    }
  }
});

test("reads the same frames byte by byte", () => {
  const one = reader();
  for (const byte of recording) feed(one.reader, Uint8Array.of(byte));
  assert.deepEqual(one.seen, expected);
});

test("hands a large DATA frame on in pieces, wherever it is cut, and its flags with the last", () => {
  const payload = Buffer.alloc(4096, "abcdefg");
  const bytes = Buffer.concat([frame(0, 1, 3, payload), frame(0, 0, 5, Buffer.from("next"))]);
  const next = { type: 0, flags: 0, streamId: 5, payload: Buffer.from("next").toString("hex") };
  for (const cuts of [[4], [9], [10], [2000], [4104], [5, 9, 10, 11, 3000], [9 + 4096], [9 + 4096 + 3]]) {
    const one = reader();
    let at = 0;
    for (const cut of [...cuts, bytes.length]) {
      feed(one.reader, bytes.subarray(at, cut));
      at = cut;
    }
    assert.deepEqual(one.seen.pop(), next, `cut at ${cuts}`);
    assert.ok(one.seen.every(({ type, streamId }) => type === 0 && streamId === 3));
    assert.deepEqual(
      one.seen.map(({ flags }) => flags),
      one.seen.map((_, index) => (index === one.seen.length - 1 ? 1 : piece)),
    );
    assert.equal(one.seen.map((seen) => seen.payload).join(""), payload.toString("hex"));
    assert.ok(one.seen.every((seen) => seen.payload !== ""));
    assert.equal(one.reader.framesRead, 2);
    assert.equal(one.reader.isInsideFrame, false);
  }
});

test("hands on whole what is smaller, padded or no DATA", () => {
  for (const [type, flags, payload] of [
    [0, 0, 4095],
    [0, 8, 4096],
    [1, 4, 4096],
  ] as const) {
    const one = reader();
    const bytes = frame(type, flags, 3, Buffer.alloc(payload, "x"));
    feed(one.reader, bytes.subarray(0, 100), bytes.subarray(100));
    assert.deepEqual(one.seen, [{ type, flags, streamId: 3, payload: bytes.toString("hex", 9) }]);
  }
});

test("is inside a frame while pieces of it are missing, and reads nothing more once one has stopped it", () => {
  const bytes = frame(0, 0, 3, Buffer.alloc(5000));
  const one = reader(16_384, () => one.reader.stop());
  feed(one.reader, bytes.subarray(0, 1000));
  assert.equal(one.reader.isInsideFrame, true);
  feed(one.reader, bytes.subarray(1000));
  assert.equal(one.seen.length, 1);
});

test("knows at every byte whether it is inside a frame", () => {
  const ends = new Set<number>([0]);
  let at = 0;
  for (const bytes of frames) {
    at += bytes.length;
    ends.add(at);
  }
  for (let cut = 0; cut <= recording.length; cut++) {
    const one = reader();
    feed(one.reader, recording.subarray(0, cut));
    assert.equal(one.reader.isInsideFrame, !ends.has(cut), `after ${cut} bytes`);
  }
});

test("begins to read where it is told to", () => {
  const one = reader();
  const bytes = Buffer.concat([Buffer.alloc(5, 0xff), recording]);
  assert.equal(read(one.reader, bytes, 5, 512), bytes.length);
  assert.deepEqual(one.seen, expected);
});

test("stops after the last frame it may read and continues from there", () => {
  for (let most = 1; most <= frames.length; most++) {
    const one = reader();
    const stops: number[] = [];
    let at = 0;
    do {
      at = read(one.reader, recording, at, most);
      stops.push(one.seen.length);
    } while (at < recording.length);
    assert.deepEqual(one.seen, expected, `${most} at a time`);
    assert.deepEqual(stops, stops.map((_, turn) => Math.min(frames.length, most * (turn + 1)))); // biome-ignore format: short
  }
});

test("counts a frame that was begun in the chunk before among those of the turn", () => {
  const one = reader();
  feed(one.reader, recording.subarray(0, 4));
  assert.equal(read(one.reader, recording, 4, 1), (frames[0] as Buffer).length);
  assert.equal(one.seen.length, 1);
});

test("takes a payload of exactly the limit and refuses one byte more by its header alone", () => {
  const fits = reader(20);
  feed(fits.reader, frame(0, 0, 1, new Uint8Array(20)));
  assert.equal(fits.seen.length, 1);
  const whole = reader(20);
  assert.throws(() => read(whole.reader, frame(0, 0, 1, new Uint8Array(21)), 0, 512), isTooLarge);
  const header = frame(0, 0, 1, new Uint8Array(21)).subarray(0, 9);
  assert.throws(() => read(reader(20).reader, header, 0, 512), isTooLarge);
  for (let cut = 1; cut < 9; cut++) {
    const split = reader(20);
    feed(split.reader, header.subarray(0, cut));
    assert.throws(() => read(split.reader, header.subarray(cut), 0, 512), isTooLarge, `header cut at ${cut}`);
  }
  assert.equal(whole.seen.length, 0);
});

test("reads nothing more once a frame's handling has stopped it, whole or cut", () => {
  for (let cut = 0; cut < recording.length; cut++) {
    const one = reader(16_384, () => one.reader.stop());
    for (const chunk of [recording.subarray(0, cut), recording.subarray(cut)]) {
      assert.equal(read(one.reader, chunk, 0, 512), chunk.length);
    }
    assert.deepEqual(one.seen, expected.slice(0, 1), `cut at ${cut}`);
  }
});

test("has moved past a frame when its handling throws", () => {
  let throws = true;
  const one = reader(16_384, () => {
    if (throws) throw new Error("thrown on purpose");
  });
  assert.throws(() => read(one.reader, recording.subarray(0, 30), 0, 512), /on purpose/);
  throws = false;
  feed(one.reader, recording.subarray((frames[0] as Buffer).length));
  assert.deepEqual(one.seen, expected);
});

test("stops after as many frames as it was told, and counts each 32 bytes of a header block for one", () => {
  const small = Buffer.concat(new Array<Buffer>(20).fill(frame(6, 0, 0, new Uint8Array(8))));
  assert.equal(read(reader().reader, small, 0, 12), 12 * 17);
  const short = Buffer.concat(new Array<Buffer>(20).fill(frame(1, 4, 1, new Uint8Array(31))));
  assert.equal(read(reader().reader, short, 0, 12), 12 * 40);
  const long = Buffer.concat(new Array<Buffer>(20).fill(frame(1, 4, 1, new Uint8Array(96))));
  assert.equal(read(reader().reader, long, 0, 12), 3 * 105);
});

test("stops where the work of the layer above uses the turn up", () => {
  const one = reader(16_384, () => {
    one.reader.work.done += 3 * workOfFrame;
  });
  const small = Buffer.concat(new Array<Buffer>(20).fill(frame(6, 0, 0, new Uint8Array(8))));
  assert.equal(read(one.reader, small, 0, 12), 3 * 17);
});
