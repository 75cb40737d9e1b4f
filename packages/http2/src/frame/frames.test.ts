import assert from "node:assert/strict";
import { test } from "node:test";
import { ErrorCode } from "../errors/error-code.ts";
import { Http2Error } from "../errors/http2-error.ts";
import { writeDataHeader } from "./data.ts";
import { Flag } from "./frame-type.ts";
import { goawayFrameBytes, readGoaway, writeGoaway } from "./goaway.ts";
import { headersDependency, headersFragmentEnd, headersFragmentStart } from "./headers.ts";
import { contentEnd } from "./padding.ts";
import { pingNumber, writePing, writePingAck } from "./ping.ts";
import { writeRstStream } from "./rst-stream.ts";
import { readSettings, settingsFrameBytes, settingsPayloadError, writeSettings, writeSettingsAck } from "./settings.ts";
import { writeWindowUpdate } from "./window-update.ts";

const target = (): Uint8Array => new Uint8Array(64).fill(0xa5);
const hex = (bytes: Uint8Array, from: number, to: number): string =>
  Buffer.from(bytes.subarray(from, to)).toString("hex");

const isConnectionError =
  (code: number) =>
  (error: unknown): boolean =>
    error instanceof Http2Error && error.scope === "connection" && error.blame === "peer" && error.code === code;

const written: readonly [what: string, write: (bytes: Uint8Array) => number, expected: string][] = [
  ["a DATA header", (bytes) => writeDataHeader(bytes, 2, 5, 300, false), "00012c000000000005"],
  ["a DATA header that ends the stream", (bytes) => writeDataHeader(bytes, 2, 5, 0, true), "000000000100000005"],
  ["RST_STREAM", (bytes) => writeRstStream(bytes, 2, 3, 0xb), "0000040300000000030000000b"],
  ["WINDOW_UPDATE", (bytes) => writeWindowUpdate(bytes, 2, 0, 0x7fff_ffff), "0000040800000000007fffffff"],
  ["PING", (bytes) => writePing(bytes, 2, 0xfedc_ba98), "00000806000000000000000000fedcba98"],
  ["SETTINGS", (bytes) => writeSettings(bytes, 2, [[3, 200], [4, 0xffff_ffff]]), "00000c0400000000000003000000c80004ffffffff"], // biome-ignore format: one case a line
  ["a SETTINGS acknowledgement", (bytes) => writeSettingsAck(bytes, 2), "000000040100000000"],
  ["GOAWAY", (bytes) => writeGoaway(bytes, 2, 7, 1, "bye"), "00000b07000000000000000007000000016" + "27965"],
];

for (const [what, write, expected] of written) {
  test(`writes ${what} in its place and nothing else`, () => {
    const bytes = target();
    const end = write(bytes);
    assert.equal(hex(bytes, 2, end), expected);
    assert.equal(hex(bytes, 0, 2), "a5a5");
    assert.equal(bytes[end], 0xa5);
  });
}

test("tells how long SETTINGS and GOAWAY frames are before they are written", () => {
  assert.equal(settingsFrameBytes([]), 9);
  assert.equal(settingsFrameBytes([[1, 1], [2, 0]]), 21); // biome-ignore format: a list of entries
  assert.equal(goawayFrameBytes("four"), 21);
});

test("finds the number of a ping in its answer, and none in an answer to somebody else's", () => {
  const bytes = target();
  writePing(bytes, 0, 0xffff_fffe);
  assert.equal(pingNumber(bytes, 9), 0xffff_fffe);
  bytes[9] = 1;
  assert.equal(pingNumber(bytes, 9), -1);
});

test("answers a ping with the bytes that came", () => {
  const bytes = target();
  assert.equal(writePingAck(bytes, 0, Uint8Array.of(9, 1, 2, 3, 4, 5, 6, 7, 0xff, 9), 1), 17);
  assert.equal(hex(bytes, 0, 17), "0000080601000000000102030405060" + "7ff");
});

test("reads GOAWAY, ignoring the reserved bit and escaping what is no printable ASCII", () => {
  const payload = Buffer.from("ffffffff8000000061205c0a7f80e97e", "hex");
  assert.deepEqual(readGoaway(payload, 0, payload.length), {
    lastStreamId: 0x7fff_ffff,
    code: 0x8000_0000,
    debug: "a \\x5c\\x0a\\x7f\\x80\\xe9~",
  });
});

for (const [bytes, kept] of [
  [0, 0],
  [255, 255],
  [256, 256],
  [257, 256],
  [16_376, 256],
] as const) {
  // biome-ignore format: a table
  test(`keeps ${kept} of ${bytes} bytes of a GOAWAY's debug data`, () => {
    const payload = Buffer.concat([Buffer.alloc(8), Buffer.alloc(bytes, "x")]);
    assert.equal(readGoaway(payload, 0, payload.length).debug.length, kept);
  });
}

test("reads settings in order, unknown ones too", () => {
  const payload = Buffer.from("000300000064" + "00ff80000000" + "000300000001", "hex");
  const seen: [number, number][] = [];
  readSettings(payload, 0, payload.length, (setting, value) => seen.push([setting, value]));
  assert.deepEqual(seen, [[3, 100], [255, 0x8000_0000], [3, 1]]); // biome-ignore format: a table
});

const settings: readonly [setting: number, value: number, error: number | undefined][] = [
  [2, 0, undefined],
  [2, 1, undefined],
  [2, 2, ErrorCode.protocolError],
  [4, 0, undefined],
  [4, 0x7fff_ffff, undefined],
  [4, 0x8000_0000, ErrorCode.flowControlError],
  [5, 16_383, ErrorCode.protocolError],
  [5, 16_384, undefined],
  [5, 16_777_215, undefined],
  [5, 16_777_216, ErrorCode.protocolError],
  [1, 0xffff_ffff, undefined],
  [3, 0xffff_ffff, undefined],
  [6, 0xffff_ffff, undefined],
];

for (const [setting, value, error] of settings) {
  test(`${error === undefined ? "takes" : "refuses"} the value ${value} of setting ${setting}`, () => {
    const payload = Buffer.alloc(6);
    payload.writeUInt16BE(setting, 0);
    payload.writeUInt32BE(value, 2);
    const read = (): void => readSettings(payload, 0, 6, () => {});
    if (error === undefined) read();
    else assert.throws(read, isConnectionError(error));
  });
}

test("refuses SETTINGS of a wrong size and takes those of a right one", () => {
  assert.equal(settingsPayloadError(0, false, 32), undefined);
  assert.equal(settingsPayloadError(6, false, 32), undefined);
  assert.equal(settingsPayloadError(192, false, 32), undefined);
  assert.match(settingsPayloadError(198, false, 32) ?? "", /32 entries/);
  assert.match(settingsPayloadError(5, false, 32) ?? "", /multiple of 6/);
  assert.match(settingsPayloadError(7, false, 32) ?? "", /multiple of 6/);
  assert.equal(settingsPayloadError(0, true, 32), undefined);
  assert.match(settingsPayloadError(6, true, 32) ?? "", /acknowledgement/);
});

const paddings: readonly [what: string, payload: number[], padding: number | undefined][] = [
  ["no padding in an empty padded frame's single byte", [0], 0],
  ["padding that fills the frame", [3, 0, 0, 0], 3],
  ["padding after content", [1, 7, 7, 0], 1],
  ["padding one byte too long", [4, 0, 0, 0], undefined],
  ["a padded frame without a pad length", [], undefined],
];

for (const [what, payload, padding] of paddings) {
  test(`${padding === undefined ? "refuses" : "finds"} ${what}`, () => {
    const bytes = Uint8Array.of(0xff, ...payload, 0xff);
    const end = 1 + payload.length;
    const read = (): number => contentEnd(Flag.padded, bytes, 1, end);
    if (padding === undefined) assert.throws(read, isConnectionError(ErrorCode.protocolError));
    else assert.equal(read(), end - padding);
  });
}

test("takes the first byte for content where the flag for padding is not set", () => {
  assert.equal(contentEnd(Flag.endStream, Uint8Array.of(200), 0, 1), 1);
});

test("finds padding after priority fields, and refuses padding that would reach into them", () => {
  const flags = Flag.padded | Flag.priority;
  assert.equal(headersFragmentEnd(flags, Uint8Array.of(1, 0, 0, 0, 0, 0, 0), 0, 7), 6);
  const read = (): number => headersFragmentEnd(flags, Uint8Array.of(1, 0, 0, 0, 0, 0), 0, 6);
  assert.throws(read, isConnectionError(ErrorCode.protocolError));
});

test("finds the header block after pad length and priority fields", () => {
  assert.equal(headersFragmentStart(0, 10, 30), 10);
  assert.equal(headersFragmentStart(Flag.padded, 10, 30), 11);
  assert.equal(headersFragmentStart(Flag.priority, 10, 30), 15);
  assert.equal(headersFragmentStart(Flag.padded | Flag.priority, 10, 30), 16);
});

test("refuses HEADERS that are shorter than their own fields, and takes the shortest", () => {
  for (const [flags, bytes] of [
    [0, 0],
    [Flag.padded, 1],
    [Flag.priority, 5],
    [Flag.padded | Flag.priority, 6],
  ] as const) {
    assert.equal(headersFragmentStart(flags, 3, 3 + bytes), 3 + bytes);
    if (bytes === 0) continue;
    assert.throws(() => headersFragmentStart(flags, 3, 2 + bytes), isConnectionError(ErrorCode.frameSizeError));
  }
});

test("reads the dependency without the exclusive bit, and only where the flag says that there is one", () => {
  const bytes = Uint8Array.of(0x80, 0, 0, 9, 15);
  assert.equal(headersDependency(Flag.priority, bytes, 0), 9);
  assert.equal(headersDependency(Flag.priority | Flag.padded, Uint8Array.of(0, ...bytes), 0), 9);
  assert.equal(headersDependency(0, bytes, 0), -1);
});
