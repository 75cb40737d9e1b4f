// RFC 9113 §4.3 and §6.10, and the floods of CVE-2024-28182 and its kin.
import assert from "node:assert/strict";
import { test } from "node:test";
import { ErrorCode } from "../src/index.ts";
import {
  createScriptedClient,
  createScriptedServer,
  type ScriptedConnection,
  type ScriptedOptions,
} from "../src/testing/index.ts";
import { ok, post } from "./example-fields.ts";

/** A server whose client has begun a header block: its whole block, of which `bytes` were sent. */
async function begun(bytes: number, options: ScriptedOptions = {}): Promise<ScriptedConnection & { rest: Buffer }> {
  const scripted = createScriptedServer(options);
  await scripted.peer.shakeHands();
  const block = scripted.peer.encodeHeaders(post);
  scripted.peer.sendHeaders(1, block.subarray(0, bytes), { endHeaders: false, endStream: true });
  return { ...scripted, rest: block.subarray(bytes) };
}

test("puts a header block together whatever byte it is cut at", async () => {
  const { length } = createScriptedServer().peer.encodeHeaders(post);
  for (let cut = 0; cut <= length; cut++) {
    const { peer, events, rest } = await begun(cut);
    assert.equal(events.streams.size, 0);
    peer.sendContinuation(1, rest);
    assert.deepEqual(events.stream(1).log, ["end"], `cut at ${cut}`);
    assert.equal(events.stream(1).request?.path, "/example");
  }
});

test("takes 5 CONTINUATION frames and ends the connection at the sixth", async () => {
  for (const [frames, taken] of [
    [5, true],
    [6, false],
  ] as const) {
    // biome-ignore format: a table
    const { peer, events, rest } = await begun(0);
    for (let i = 1; i < frames; i++) peer.sendContinuation(1, rest.subarray(i - 1, i), { endHeaders: false });
    peer.sendContinuation(1, rest.subarray(frames - 1));
    if (taken) assert.deepEqual(events.stream(1).log, ["end"]);
    else await peer.expectGoaway(ErrorCode.enhanceYourCalm, /5 CONTINUATION/);
    assert.equal(events.streams.size, taken ? 1 : 0);
  }
});

test("takes 32 KiB of compressed bytes and ends the connection at one more", async () => {
  for (const [bytes, taken] of [
    [32_768, true],
    [32_769, false],
  ] as const) {
    // biome-ignore format: a table
    const { peer, events, settle, rest: head } = await begun(0, { limits: { headers: { maxListBytes: 65_536 } } });
    // One literal without indexing whose value takes what is left; its length takes 3 bytes.
    const name = Buffer.from("000178", "hex");
    const value = bytes - head.length - name.length - 4;
    const length = Buffer.of(
      0x7f,
      ((value - 127) & 0x7f) | 0x80,
      (((value - 127) >> 7) & 0x7f) | 0x80,
      (value - 127) >> 14,
    );
    const block = Buffer.concat([head, name, length, Buffer.alloc(value, "v")]);
    assert.equal(block.length, bytes);
    for (let at = 0; at < bytes; at += 16_384) {
      peer.sendContinuation(1, block.subarray(at, at + 16_384), { endHeaders: at + 16_384 >= bytes });
    }
    await settle();
    if (taken) assert.equal(events.stream(1).request?.fields[1]?.length, value);
    else await peer.expectGoaway(ErrorCode.enhanceYourCalm, /32768/);
  }
});

const interruptions: readonly [what: string, act: (scripted: ScriptedConnection) => void][] = [
  ["DATA", ({ peer }) => peer.sendData(1, "x")],
  ["HEADERS of the same stream", ({ peer }) => peer.sendHeaders(1, post)],
  ["HEADERS of another stream", ({ peer }) => peer.sendHeaders(3, post)],
  ["CONTINUATION of another stream", ({ peer }) => peer.sendContinuation(3, Buffer.alloc(0))],
  ["a PING", ({ peer }) => peer.sendPing()],
  ["SETTINGS", ({ peer }) => peer.sendSettings()],
  ["a WINDOW_UPDATE", ({ peer }) => peer.sendWindowUpdate(0, 1)],
  ["RST_STREAM", ({ peer }) => peer.sendReset(1, ErrorCode.cancel)],
  ["PRIORITY", ({ peer }) => peer.sendPriority(1)],
  ["GOAWAY", ({ peer }) => peer.sendGoaway(0, 0)],
  ["an unknown frame", ({ peer }) => peer.sendFrame({ type: 0x0b, streamId: 1 })],
];

for (const [what, act] of interruptions) {
  test(`ends the connection when a header block is interrupted by ${what}`, async () => {
    const scripted = await begun(2);
    act(scripted);
    await scripted.peer.expectGoaway(ErrorCode.protocolError, /interrupted/);
    assert.equal(scripted.events.streams.size, 0);
  });
}

test("ends the connection for a CONTINUATION after nothing, or after a block that is complete", async () => {
  for (const complete of [false, true]) {
    const { peer } = createScriptedServer();
    await peer.shakeHands();
    if (complete) peer.sendHeaders(1, post);
    peer.sendContinuation(1, Buffer.alloc(0));
    await peer.expectGoaway(ErrorCode.protocolError);
  }
});

test("gives a header block 10 seconds to end", async () => {
  const { peer, clock, rest, events } = await begun(1);
  clock.advance(9000);
  peer.sendContinuation(1, rest.subarray(0, 1), { endHeaders: false });
  await peer.expectNothingMore();
  clock.advance(1000);
  await peer.expectGoaway(ErrorCode.enhanceYourCalm, /not ended in time/);
  assert.equal(events.streams.size, 0);
});

test("ends the connection for a block that ends in the middle of a field", async () => {
  const { peer } = createScriptedServer();
  await peer.shakeHands();
  peer.sendHeaders(1, Buffer.from("8286844105", "hex"));
  await peer.expectGoaway(ErrorCode.compressionError);
});

for (const bytes of [16_384, 40_000, 100_000]) {
  test(`sends a header block of more than ${bytes} bytes in CONTINUATION frames`, async () => {
    const { peer, request, settle } = createScriptedClient();
    await peer.shakeHands();
    // Characters that Huffman coding makes longer, so that the block cannot shrink.
    const fields = [...post, "x-large", "\x7f".repeat(bytes)];
    const recorded = request(fields, { endStream: true, extra: ["x-extra", "after"] });
    request(post);
    const frame = await peer.nextOf("HEADERS");
    assert.deepEqual(frame, {
      type: "HEADERS",
      streamId: 1,
      endStream: true,
      fields: [...fields, "x-extra", "after"],
      continuations: Math.floor(bytes / 16_384),
    });
    assert.deepEqual((await peer.nextOf("HEADERS")).fields, post);
    peer.sendHeaders(1, ok, { endStream: true });
    await settle();
    assert.deepEqual(recorded.log, ["head 200", "end"]);
  });
}

test("sends large trailers after waiting data in CONTINUATION frames", async () => {
  const { peer, events } = createScriptedServer();
  await peer.shakeHands({ initialWindowSize: 1 });
  peer.sendHeaders(1, post, { endStream: true });
  const { stream } = events.stream(1);
  stream?.sendHeaders(ok);
  stream?.sendData(Buffer.alloc(2));
  stream?.sendTrailers(["x-large", "\x7f".repeat(20_000)]);
  await peer.nextOf("DATA");
  await peer.expectNothingMore();
  peer.sendWindowUpdate(1, 1);
  await peer.nextOf("DATA");
  const frame = await peer.nextOf("HEADERS");
  assert.deepEqual([frame.endStream, frame.continuations, frame.fields[1]?.length], [true, 1, 20_000]);
});
