/**
 * The protobuf codec reads what protobuf-es reads, down to the objects, refuses what it refuses, with a ConnectError, and writes
 * what it writes. A codec that allows hardly any memory reads the same or refuses it. The types are random ones; the bytes are the input's own, or what a sender writes whose decisions the input
 * makes, damaged or not.
 */
import assert from "node:assert/strict";
import { inspect, isDeepStrictEqual } from "node:util";
import { type DescMessage, fromBinary, type Message, toBinary } from "@bufbuild/protobuf";
import { ConnectError } from "@connectrpc/connect";
import { createProtobufCodec } from "../../../packages/grpc/src/codec/protobuf.ts";
import { damage, randomBytes } from "../../../packages/grpc/src/codec/testing/random-bytes.ts";
import { createRandom, randomSchema } from "../../../packages/grpc/src/codec/testing/random-schema.ts";
import { assertSameBytes } from "./assert-same.ts";
import { WireSource } from "./wire-source.ts";

const schemas = Array.from({ length: 64 }, (_, seed) => randomSchema(createRandom(seed)));
const keeping = createProtobufCodec();
const dropping = createProtobufCodec({ keepUnknownFields: false });
const strict = createProtobufCodec({ maxDecodedMessageBytes: 256 });

export function fuzz(bytes: Uint8Array): void {
  const source = new WireSource(bytes);
  const schema = schemas[source.byte() % schemas.length] as DescMessage;
  const choice = source.byte();
  const keepsUnknown = choice % 2 === 0;
  const input = bytesOf(schema, source, (choice >>> 1) % 3);

  const codec = keepsUnknown ? keeping : dropping;
  const expected = attempt(() => fromBinary(schema, input, { readUnknownFields: keepsUnknown }));
  const message = attemptCodec(() => codec.decode(schema, input));
  assert.equal(message === undefined, expected === undefined, "one reads what the other refuses");
  // Also before a field of 4 KiB, because the memory of smaller messages in protobuf-es is not estimated.
  for (const whole of [input, new Uint8Array(Buffer.concat([input, fourKibibytes]))]) {
    const bounded = attemptCodec(() => strict.decode(schema, whole));
    if (bounded === undefined) continue;
    const unbounded = attempt(() => fromBinary(schema, whole));
    if (!isDeepStrictEqual(bounded, unbounded)) assert.deepEqual(bounded, unbounded);
  }
  if (message === undefined || expected === undefined) return;
  if (!isDeepStrictEqual(message, expected)) assert.deepEqual(message, expected);

  const rewritten = attempt(() => toBinary(schema, expected));
  const written = attemptCodec(() => codec.encode(schema, message));
  assert.equal(written === undefined, rewritten === undefined, "one writes what the other refuses");
  if (written === undefined || rewritten === undefined || Buffer.compare(written, rewritten) === 0) return;
  // JavaScript does not specify which bits of a NaN a variable keeps.
  const isSameButNaN =
    written.length === rewritten.length &&
    inspect(message, { depth: 200 }).includes("NaN") &&
    isDeepStrictEqual(fromBinary(schema, written), fromBinary(schema, rewritten));
  if (!isSameButNaN) assertSameBytes(written, rewritten);
}

/** Field 50,000, which no type has. */
const fourKibibytes = Buffer.concat([Buffer.of(0x82, 0xb5, 0x18, 0x80, 0x20), Buffer.alloc(4096)]);

function bytesOf(schema: DescMessage, source: WireSource, way: number): Uint8Array {
  if (way === 0) return source.rest();
  // After the end of the input every decision is 0, which ends a message soon.
  const random = (limit: number): number => (limit <= 256 ? source.byte() : source.uint16()) % limit;
  const bytes = randomBytes(schema, random);
  return way === 1 ? bytes : damage(bytes, random);
}

function attempt<T>(action: () => T): T | undefined {
  try {
    return action();
  } catch {
    return undefined;
  }
}

function attemptCodec<T extends Message | Uint8Array>(action: () => T): T | undefined {
  try {
    return action();
  } catch (error) {
    assert.ok(error instanceof ConnectError, String(error));
    return undefined;
  }
}

export const dictionary = [
  // Unknown fields of each wire type, one and many, with overlong tags, and nested groups.
  Uint8Array.of(0xc0, 0xc4, 0x13, 0),
  Uint8Array.of(0xc1, 0xc4, 0x13, 0, 0, 0, 0, 0, 0, 0, 0),
  Uint8Array.of(0xc2, 0xc4, 0x13, 0),
  Uint8Array.of(0xc5, 0xc4, 0x13, 0, 0, 0, 0),
  Uint8Array.of(0xc3, 0xc4, 0x13, 0xc4, 0xc4, 0x13),
  Uint8Array.of(0xc3, 0xc4, 0x13, 0x7b, 0x7c, 0xc4, 0xc4, 0x13),
  Uint8Array.of(0xf8, 0x80, 0x00, 0),
  Uint8Array.of(0x78, 0, 0x78, 0, 0x78, 0, 0x78, 0, 0x78, 0, 0x78, 0),
  // Tiny elements: empty ones of a list or map, a packed list of small numbers, Structs and lists of nothing.
  Uint8Array.of(0x0a, 0, 0x0a, 0, 0x0a, 0, 0x0a, 0),
  Uint8Array.of(0x12, 0, 0x12, 0, 0x12, 0, 0x12, 0),
  Uint8Array.of(0x1a, 4, 1, 2, 3, 4),
  Uint8Array.of(0x0a, 4, 0x0a, 0, 0x12, 0),
  Uint8Array.of(0x0a, 2, 0x2a, 0, 0x0a, 2, 0x32, 0),
  Uint8Array.of(0x0a, 0),
  Uint8Array.of(0x0b, 0x0c),
  Uint8Array.of(0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01),
  Uint8Array.of(0x80, 0x80, 0x80, 0x80, 0x10),
  Uint8Array.of(0xef, 0xbf, 0xbd),
  Buffer.from("__proto__"),
];
