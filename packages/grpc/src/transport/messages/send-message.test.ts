import assert from "node:assert/strict";
import { test } from "node:test";
import { create } from "@bufbuild/protobuf";
import { BytesValueSchema } from "@bufbuild/protobuf/wkt";
import type { Http2Stream } from "@tercel/http2";
import { createScriptedServer, type ScriptedConnection } from "@tercel/http2/testing";
import { SchemaCodec } from "../../call/messages/message-codec.ts";
import { createProtobufCodec } from "../../codec/index.ts";
import { messagePrefixBytes } from "../../protocol/message-framing.ts";
import type { Payload } from "../../protocol/payload.ts";
import { MessageSender, type SendingCall } from "./message-sender.ts";
import { sendMessage } from "./send-message.ts";

const codec = new SchemaCodec(createProtobufCodec(), BytesValueSchema);
const sender = new MessageSender({ codec, compression: undefined, compressMinBytes: 0, maxMessageBytes: 1_000_000 });

interface Sending extends ScriptedConnection {
  send(payloadBytes: number, fill: number): boolean;
}

async function sending(initialWindowSize: number): Promise<Sending> {
  const scripted = createScriptedServer();
  await scripted.peer.shakeHands({ initialWindowSize });
  scripted.peer.sendWindowUpdate(0, 2 ** 30);
  const post = [":method", "POST", ":scheme", "http", ":path", "/a.B/C"];
  scripted.peer.sendHeaders(1, post, { endStream: true });
  const stream = scripted.events.stream(1).stream as Http2Stream;
  stream.sendHeaders([":status", "200"]);
  await scripted.peer.nextOf("HEADERS");
  const call: SendingCall<boolean> = {
    sendValues: undefined,
    put: (payload: Payload) => sendMessage(stream, payload, false),
  };
  return {
    ...scripted,
    send: (bytes, fill) =>
      sender.send(create(BytesValueSchema, { value: new Uint8Array(bytes).fill(fill) }), call, false) as boolean,
  };
}

/** Sizes of the DATA frames that have come, and their content. */
async function received({ peer, settle }: ScriptedConnection): Promise<{ sizes: number[]; bytes: Buffer }> {
  await settle();
  const parts: Buffer[] = [];
  while (peer.unread.length > 0) {
    const frame = await peer.nextFrame();
    assert.ok(frame.type === "DATA", `expected only DATA, got ${frame.type}`);
    parts.push(frame.data);
  }
  return { sizes: parts.map((part) => part.length), bytes: Buffer.concat(parts) };
}

function framed(bytes: number, fill: number): Buffer {
  const message = codec.encode(create(BytesValueSchema, { value: new Uint8Array(bytes).fill(fill) }));
  const prefix = Buffer.alloc(messagePrefixBytes);
  prefix.writeUInt32BE(message.length, 1);
  return Buffer.concat([prefix, message]);
}

test("sends messages of some KiB in full frames, without a frame for the prefix", async () => {
  const scripted = await sending(1_000_000);
  scripted.send(16_384, 1);
  const { sizes, bytes } = await received(scripted);
  assert.ok(bytes.equals(framed(16_384, 1)));
  assert.deepEqual(sizes, [16_384, bytes.length - 16_384]);
});

test("makes no buffer for a message of some KiB that can leave at once", async (t) => {
  const scripted = await sending(2 ** 31 - 1);
  const sendAll = async (): Promise<void> => {
    for (const kibibytes of [4, 8, 16, 32, 60]) assert.equal(scripted.send(kibibytes * 1024, kibibytes), true);
    await received(scripted);
  };
  await sendAll();
  const made = t.mock.method(Buffer, "allocUnsafeSlow");
  for (let round = 0; round < 20; round++) await sendAll();
  assert.equal(made.mock.callCount(), 0);
});

test("keeps messages as they were that have to wait, while others are written", async () => {
  const scripted = await sending(10);
  const expected: Buffer[] = [];
  for (const [bytes, fill] of [
    [100, 1],
    [20_000, 2],
    [30_000, 3],
    [80_000, 4],
    [5000, 5],
  ] as const) {
    expected.push(framed(bytes, fill));
    scripted.send(bytes, fill);
  }
  scripted.peer.sendWindowUpdate(1, 1_000_000);
  const { bytes } = await received(scripted);
  assert.ok(bytes.equals(Buffer.concat(expected)));
});
