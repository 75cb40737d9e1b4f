/**
 * The message reader finds the same messages as one with all bytes. The codec returns a message or a
 * ConnectError for each, and writes messages like protobuf-es.
 */
import assert from "node:assert/strict";
import { type DescMessage, fromBinary, type Message, toBinary } from "@bufbuild/protobuf";
import { AnySchema, FieldDescriptorProtoSchema, StructSchema, TypeSchema } from "@bufbuild/protobuf/wkt";
import { ConnectError } from "@connectrpc/connect";
import { createJsonCodec } from "../../../packages/grpc/src/codec/json.ts";
import { createProtobufCodec } from "../../../packages/grpc/src/codec/protobuf.ts";
import { MessageReader } from "../../../packages/grpc/src/protocol/message-framing.ts";
import { EchoRequestSchema } from "../../../packages/grpc/test/gen/tercel/grpc/test/v1/echo_pb.ts";
import { assertSameBytes } from "./assert-same.ts";
import { cut } from "./cut.ts";
import { WireSource } from "./wire-source.ts";

const schemas: readonly DescMessage[] = [
  EchoRequestSchema,
  TypeSchema,
  FieldDescriptorProtoSchema,
  AnySchema,
  StructSchema,
];
const codec = createProtobufCodec();
const jsonCodec = createJsonCodec();
const maxCuts = 8;
const openingBrace = 0x7b;

export function fuzz(input: Uint8Array): void {
  const source = new WireSource(input);
  const schema = schemas[source.byte() % schemas.length] as DescMessage;
  const maxMessageBytes = source.byte() * 8;
  const cuts = source.take(source.byte() % maxCuts);
  const rest = source.rest();

  const seen: { compressed: boolean; message: Uint8Array }[] = [];
  const reader = new MessageReader(
    {
      onMessage({ content, compressed }) {
        seen.push({ compressed, message: content.slice() });
      },
    },
    maxMessageBytes,
  );
  let error: ConnectError | undefined;
  for (const chunk of cut(rest, cuts)) {
    const failed = reader.push(chunk, 0, chunk.length);
    assert.ok(failed === undefined || error === undefined, "an error was returned twice");
    error ??= failed;
  }

  const expected = readMessages(rest, maxMessageBytes);
  assert.equal(seen.length, expected.messages.length);
  for (const [at, { compressed, message }] of seen.entries()) {
    const wanted = expected.messages[at] as (typeof seen)[number];
    assert.equal(compressed, wanted.compressed);
    assertSameBytes(message, wanted.message);
  }
  assert.equal(error instanceof ConnectError, expected.isBroken);
  if (!expected.isBroken) assert.equal(reader.isBetweenMessages, expected.isBetweenMessages);
  for (const { message } of seen) {
    if (message[0] === openingBrace) decodeJson(schema, message);
    else decode(schema, message);
  }
}

function readMessages(input: Uint8Array, maxMessageBytes: number) {
  const bytes = Buffer.from(input);
  const messages: { compressed: boolean; message: Uint8Array }[] = [];
  let at = 0;
  while (bytes.length - at >= 5) {
    const flag = bytes[at] as number;
    const length = bytes.readUInt32BE(at + 1);
    if (flag > 1 || length > maxMessageBytes) return { messages, isBroken: true, isBetweenMessages: false };
    if (bytes.length - at - 5 < length) break;
    messages.push({ compressed: flag === 1, message: new Uint8Array(bytes.subarray(at + 5, at + 5 + length)) });
    at += 5 + length;
  }
  return { messages, isBroken: false, isBetweenMessages: at === bytes.length };
}

function decode(schema: DescMessage, input: Uint8Array): void {
  let expected: Message | undefined;
  try {
    expected = fromBinary(schema, input);
  } catch {
    expected = undefined;
  }
  let message: Message;
  try {
    message = codec.decode(schema, input);
  } catch (error) {
    assert.ok(error instanceof ConnectError, String(error));
    assert.equal(expected, undefined, "refused what protobuf-es reads");
    return;
  }
  assert.ok(expected !== undefined, "read what protobuf-es refuses");
  assertSameBytes(codec.encode(schema, message), toBinary(schema, expected));
}

function decodeJson(schema: DescMessage, input: Uint8Array): void {
  try {
    jsonCodec.decode(schema, input);
  } catch (error) {
    assert.ok(error instanceof ConnectError, String(error));
  }
}

export const dictionary = [
  // Tiny messages: empty ones, and those of one unknown field or one empty element.
  Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0),
  Uint8Array.of(0, 0, 0, 0, 2, 0x78, 0),
  Uint8Array.of(0, 0, 0, 0, 2, 0x12, 0),
  Uint8Array.of(0, 0, 0, 0, 4, 0x7b, 0x7b, 0x7c, 0x7c),
  // Unknown fields and tiny elements within a message.
  Uint8Array.of(0x78, 0, 0x78, 0, 0x78, 0, 0x78, 0),
  Uint8Array.of(0xf8, 0x07, 0, 0xf8, 0x80, 0x00, 0),
  Uint8Array.of(0x7b, 0x7c),
  Uint8Array.of(0x12, 0, 0x12, 0, 0x1a, 0, 0x1a, 0),
  Uint8Array.of(0x0a, 2, 0x0a, 0, 0x0a, 0),
  Uint8Array.of(0, 0, 0, 0, 0),
  Uint8Array.of(1, 0, 0, 0, 3),
  Uint8Array.of(0, 0, 0, 0, 8, 0x0a, 2, 0x61, 0x62, 0x12, 1, 0xff, 0x18),
  Uint8Array.of(0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01),
  Buffer.from('{"text":"a","payload":"AAEC","count":-1}'),
  Buffer.from('{"__proto__":{"a":1}}'),
  Uint8Array.of(0x3b, 0x3c),
];
