import assert from "node:assert/strict";
import { test } from "node:test";
import { create, type Message } from "@bufbuild/protobuf";
import { BytesValueSchema, StringValueSchema } from "@bufbuild/protobuf/wkt";
import { Code, ConnectError } from "@connectrpc/connect";
import { type MessageCodec, SchemaCodec } from "../../call/messages/message-codec.ts";
import { type Codec, createProtobufCodec } from "../../codec/index.ts";
import type { Compression } from "../../protocol/compression.ts";
import { Payload } from "../../protocol/payload.ts";
import { decodeReceived, type ReceivingCall } from "./decode-received.ts";

const codec = createProtobufCodec();
const bytes = codec.encode(BytesValueSchema, create(BytesValueSchema, { value: new Uint8Array([1, 2, 3]) }));

/** "Compresses" by nothing, now or later. */
function compressionThat(decompress: Compression["decompress"]): Compression {
  return { name: "none", compress: (bytes) => bytes, decompress };
}

function openCall(
  compression?: Compression,
  receivedCodec: MessageCodec = new SchemaCodec(codec, BytesValueSchema),
): ReceivingCall {
  return {
    ...{ receivedCodec, receivedCompression: compression, maxReceiveMessageBytes: 100, isCutOff: false },
    takeRoom: () => undefined,
    keepRoom() {},
  };
}

function decode(bytes: Uint8Array, compression: Compression | undefined, compressed: boolean, owned: boolean) {
  return decodeReceived(openCall(compression), new Payload().whole(bytes, compressed, owned));
}

function bytesIn(message: object | Promise<object>): number[] {
  return [...(message as Message & { value: Uint8Array }).value];
}

test("keeps no view of borrowed bytes", () => {
  const lent = new Uint8Array(bytes);
  const message = decode(lent, undefined, false, false);
  lent.fill(0xff);
  assert.deepEqual(bytesIn(message), [1, 2, 3]);
});

test("does not copy bytes that are the message's own", () => {
  const own = new Uint8Array(bytes);
  const { value } = decode(own, undefined, false, true) as Message & { value: Uint8Array };
  assert.equal(value.buffer, own.buffer);
});

test("frees large bytes of its own that a message does not keep, and those of broken ones", async () => {
  const large = (byte: number) => new Uint8Array(16_384).fill(byte);
  const text = codec.encode(StringValueSchema, create(StringValueSchema, { value: "x".repeat(16_384) }));
  const own = new Uint8Array(text);
  // Unknown fields would be views of the bytes.
  const forgetful = createProtobufCodec({ keepUnknownFields: false });
  const call = openCall(undefined, new SchemaCodec(forgetful, StringValueSchema));
  const { value } = decodeReceived(call, new Payload().whole(own, false, true)) as { value: string };
  assert.deepEqual([value.length, own.length], [16_384, 0]);

  const lent = new Uint8Array(text);
  decodeReceived(call, new Payload().whole(lent, false, false));
  assert.equal(lent.length, text.length);

  const broken = large(0);
  assert.throws(() => decode(broken, undefined, false, true), ConnectError);
  assert.equal(broken.length, 0);
  const brokenWithin = large(0);
  const later = decode(
    bytes,
    compressionThat(async () => brokenWithin),
    true,
    true,
  );
  await assert.rejects(later as Promise<object>, ConnectError);
  assert.equal(brokenWithin.length, 0);
});

test("decodes messages that were decompressed at the same time in turns of their own when each takes a turn's time", async (t) => {
  // The time stands still but for decoding, so that a busy machine takes no share of a turn.
  let nowMs = performance.now();
  t.mock.method(performance, "now", () => nowMs);
  const events: string[] = [];
  const receive = (decodingMs: number) => {
    const recording: Codec = {
      ...codec,
      decode(schema) {
        events.push("decode");
        nowMs += decodingMs;
        return create(schema);
      },
    };
    const compression = compressionThat(async () => new Uint8Array(65_536));
    const call = openCall(compression, new SchemaCodec(recording, BytesValueSchema));
    return decodeReceived(call, new Payload().whole(bytes, true, true));
  };
  for (const [decodingMs, expected] of [
    [1, ["decode", "turn", "decode"]],
    [0, ["decode", "decode", "turn"]],
  ] as const) {
    // Such a message uses the turn up, and the one after it begins another.
    await receive(1);
    await receive(0);
    events.length = 0;
    const messages = [receive(decodingMs), receive(decodingMs)];
    setImmediate(() => events.push("turn"));
    await Promise.all(messages);
    await new Promise(setImmediate);
    assert.deepEqual(events, expected);
  }
});

test("frees what was decompressed with one byte to spare, and leaves larger buffers alone", async () => {
  const text = codec.encode(StringValueSchema, create(StringValueSchema, { value: "a".repeat(65_536) }));
  for (const [spareBytes, left] of [
    [1, 0],
    [2, text.length],
  ] as const) {
    const decompressed = new Uint8Array(new ArrayBuffer(text.length + spareBytes), 0, text.length);
    decompressed.set(text);
    const compression = compressionThat(async () => decompressed);
    const forgetful = createProtobufCodec({ keepUnknownFields: false });
    const call = openCall(compression, new SchemaCodec(forgetful, StringValueSchema));
    await decodeReceived(call, new Payload().whole(bytes, true, true));
    assert.equal(decompressed.length, left);
  }
});

test("keeps large bytes that a message has views of", () => {
  const own = new Uint8Array(
    codec.encode(BytesValueSchema, create(BytesValueSchema, { value: new Uint8Array(65_536).fill(7) })),
  );
  const { value } = decode(own, undefined, false, true) as Message & { value: Uint8Array };
  assert.equal(value.length, 65_536);
  assert.equal(value.at(-1), 7);
});

test("copies borrowed bytes before it decompresses them later", async () => {
  const lent = new Uint8Array(bytes);
  const message = decode(
    lent,
    compressionThat(async (bytes) => bytes),
    true,
    false,
  );
  lent.fill(0xff);
  assert.deepEqual(bytesIn(await message), [1, 2, 3]);
});

test("gives the limit to the decompression", () => {
  let limit = 0;
  const compression = compressionThat((bytes, maxBytes) => {
    limit = maxBytes;
    return bytes;
  });
  assert.deepEqual(bytesIn(decode(bytes, compression, true, true)), [1, 2, 3]);
  assert.equal(limit, 100);
});

test("refuses a compressed message where no compression was declared", () => {
  assert.throws(
    () => decode(bytes, undefined, true, true),
    (error) => error instanceof ConnectError && error.code === Code.Internal,
  );
});

test("lets a failed decompression be left alone, and tells whoever asks", async () => {
  const failing = compressionThat(() => Promise.reject(new Error("broken")));
  decode(bytes, failing, true, true);
  await assert.rejects(decode(bytes, failing, true, true) as Promise<object>, /broken/);
});

test("makes no message for a call that was cut off while it was decompressed, and frees the result", async () => {
  const plain = new Uint8Array(16_384);
  const call = { ...openCall(compressionThat(async () => plain)), isCutOff: false };
  const message = decodeReceived(call, new Payload().whole(bytes, true, true));
  call.isCutOff = true;
  await assert.rejects(message as Promise<object>, { code: Code.Canceled });
  assert.equal(plain.length, 0);
});

test("keeps the room that a decompressed message needs, and none for one that failed", async () => {
  const kept: number[] = [];
  const call = (compression: Compression): ReceivingCall => ({
    ...openCall(compression),
    keepRoom: (bytes) => kept.push(bytes),
  });
  const good = compressionThat(async (bytes) => bytes);
  await decodeReceived(call(good), new Payload().whole(bytes, true, true));
  const failing = compressionThat(() => Promise.reject(new Error("broken")));
  await assert.rejects(decodeReceived(call(failing), new Payload().whole(bytes, true, true)) as Promise<object>);
  assert.deepEqual(kept, [bytes.length, 0]);
});
