import assert from "node:assert/strict";
import { test } from "node:test";
import { buildFrame } from "@tercel/http2/testing";
import { recordWrites } from "./record-channel.ts";
import { Transcript } from "./transcript.ts";

const settings = buildFrame({ type: 4, payload: Buffer.from("000400000064", "hex") });
const ping = (digit: number): Buffer => buildFrame({ type: 6, payload: Buffer.from(`000000000000000${digit}`, "hex") });

test("shows each frame with its meaning, and an empty line between writes", () => {
  const transcript = new Transcript();
  transcript.write(">", [Buffer.concat([settings, ping(1)])]);
  transcript.note("the peer responds");
  transcript.write("<", [buildFrame({ type: 8, streamId: 3, payload: Buffer.from("00000010", "hex") })]);
  transcript.write(">", [ping(2)]);
  assert.equal(
    String(transcript),
    `> SETTINGS stream 0, 6 bytes: 000400000064
    INITIAL_WINDOW_SIZE 100
> PING stream 0, 8 bytes: 0000000000000001

# the peer responds

< WINDOW_UPDATE stream 3, 4 bytes: 00000010
    increment 16

> PING stream 0, 8 bytes: 0000000000000002
`,
  );
});

test("changes with one different byte, one more frame, or another grouping of writes", () => {
  const textOf = (...writes: readonly Buffer[]): string => {
    const transcript = new Transcript();
    for (const bytes of writes) transcript.write(">", [bytes]);
    return String(transcript);
  };
  const payload = Buffer.alloc(5000, 7);
  const changed = Buffer.from(payload);
  changed[4321] = 8;
  const data = (bytes: Buffer): Buffer => buildFrame({ type: 0, streamId: 1, payload: bytes });
  const texts = [
    textOf(data(payload)),
    textOf(data(changed)),
    textOf(data(payload), ping(1)),
    textOf(Buffer.concat([data(payload), ping(1)])),
  ];
  assert.equal(new Set(texts).size, texts.length);
});

test("changes with a different frame in the middle of many", () => {
  const textOf = (digits: readonly number[]): string => {
    const transcript = new Transcript();
    transcript.write(">", [Buffer.concat(digits.map(ping))]);
    return String(transcript);
  };
  const digits = Array.from({ length: 40 }, (_, at) => at % 10);
  const text = textOf(digits);
  assert.ok(text.split("\n").length < 15, text);
  assert.notEqual(textOf(digits.with(20, 9)), text);
});

test("shows the reserved bit, unknown flags and incomplete frames", () => {
  const transcript = new Transcript();
  transcript.write(">", [
    buildFrame({ type: 6, flags: 0x41, reservedBit: 1, payload: Buffer.alloc(8) }),
    Buffer.of(0, 0),
  ]);
  assert.equal(
    String(transcript),
    `> a write of 2 buffers
> PING ACK flags 0x40 stream 2147483648, 8 bytes: 0000000000000000
> 2 bytes of a frame that is not complete
`,
  );
});

test("hides the bytes of a mask, whatever their length", () => {
  const textOf = (secret: string): string => {
    const transcript = new Transcript();
    transcript.masks.push({
      hide: ({ payload }) => ({ start: 1, end: payload.length - 1, text: "secret" }),
    });
    transcript.write(">", [buildFrame({ type: 0, streamId: 1, payload: Buffer.from(`<${secret}>`) })]);
    return String(transcript);
  };
  assert.equal(textOf("one"), "> DATA stream 1, 2 bytes and {…}: 3c{secret}3e\n");
  assert.equal(textOf("another"), textOf("one"));
});

test("records the writes to a corked channel as one write", () => {
  const transcript = new Transcript();
  const channel = { write: () => true, cork: () => {}, uncork: () => {}, end: () => {} };
  recordWrites(channel, transcript);
  const write = (bytes: Uint8Array): void => {
    (channel.write as (bytes: Uint8Array) => boolean)(bytes);
  };
  write(ping(1));
  channel.cork();
  write(ping(2).subarray(0, 9));
  write(ping(2).subarray(9));
  channel.uncork();
  channel.end();
  assert.equal(
    String(transcript),
    `> PING stream 0, 8 bytes: 0000000000000001

> a write of 2 buffers
> PING stream 0, 8 bytes: 0000000000000002

> the end of the connection
`,
  );
});
