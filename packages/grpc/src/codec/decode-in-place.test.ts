import assert from "node:assert/strict";
import { test } from "node:test";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { AnySchema, StringValueSchema, StructSchema, TypeSchema } from "@bufbuild/protobuf/wkt";
import { Payload } from "../protocol/payload.ts";
import { createProtobufCodec } from "./protobuf.ts";

const keeping = createProtobufCodec();
const dropping = createProtobufCodec({ keepUnknownFields: false });

/** The bytes in the middle of others, as they come from a socket. */
function inChunk(bytes: Uint8Array, before = 13): { payload: Payload; chunk: Uint8Array } {
  const chunk = new Uint8Array(bytes.length + before + 7).fill(0xff);
  chunk.set(bytes, before);
  return { chunk, payload: new Payload().borrow(chunk, before, before + bytes.length, false) };
}

const type = create(TypeSchema, {
  name: "a.b.C",
  fields: [
    { name: "née", number: 3, options: [{ name: "x", value: { typeUrl: "t", value: new Uint8Array([1, 2]) } }] },
  ],
  oneofs: ["one", "two"],
});

test("a message decoded out of a chunk is what protobuf-es makes of its bytes", () => {
  const struct = create(StructSchema, { fields: { a: { kind: { case: "numberValue", value: 1.5 } } } });
  for (const [schema, message] of [
    [TypeSchema, type],
    [StructSchema, struct],
    [StringValueSchema, create(StringValueSchema, {})],
  ] as const) {
    const bytes = toBinary(schema, message as never);
    const { payload } = inChunk(bytes);
    assert.deepEqual(keeping.decodeInPlace?.(schema, payload), fromBinary(schema, bytes));
  }
});

test("what is decoded does not change when the chunk's memory is used again", () => {
  const { payload, chunk } = inChunk(toBinary(TypeSchema, type));
  const message = keeping.decodeInPlace?.(TypeSchema, payload);
  chunk.fill(0);
  assert.deepEqual(message, type);
});

test("unknown fields that are to be kept are left to a copy, and dropped ones are not", () => {
  const any = toBinary(AnySchema, create(AnySchema, { typeUrl: "text", value: new Uint8Array([1]) }));
  const { payload } = inChunk(any);
  assert.equal(keeping.decodeInPlace?.(StringValueSchema, payload), undefined);
  assert.deepEqual(dropping.decodeInPlace?.(StringValueSchema, payload), create(StringValueSchema, { value: "text" }));
});

test("nothing beyond the message is read, and what is broken is left to decode's words", () => {
  const bytes = toBinary(StringValueSchema, create(StringValueSchema, { value: "text" }));
  for (let length = 1; length < bytes.length; length++) {
    const payload = new Payload().borrow(bytes, 0, length, false);
    assert.equal(keeping.decodeInPlace?.(StringValueSchema, payload), undefined, `${length} bytes`);
  }
});

test("the memory that a message may take is counted from its own first byte, and not from the chunk's", () => {
  // Two bytes each on the wire, and an object in memory.
  const fields = Array.from({ length: 500 }, () => ({}));
  const bytes = toBinary(TypeSchema, create(TypeSchema, { fields }));
  const limited = createProtobufCodec({ maxDecodedMessageBytes: 1000 });
  const { payload } = inChunk(bytes, 60_000);
  assert.equal(limited.decodeInPlace?.(TypeSchema, payload), undefined);
});

test("messages up to 4,095 bytes are decoded in place, and longer ones are left to a copy", () => {
  for (const [length, isInPlace] of [
    [4095, true],
    [4096, false],
  ] as const) {
    const message = create(StringValueSchema, { value: "x".repeat(length - 3) });
    const { payload } = inChunk(toBinary(StringValueSchema, message));
    assert.equal(payload.length, length);
    assert.equal(keeping.decodeInPlace?.(StringValueSchema, payload) !== undefined, isInPlace);
  }
});

test("a message whose bytes are its own keeps its unknown fields and bytes as views of them", () => {
  const any = toBinary(AnySchema, create(AnySchema, { typeUrl: "text", value: new Uint8Array([1, 2]) }));
  const { payload, chunk } = inChunk(any);
  payload.owned = true;
  const known = keeping.decodeInPlace?.(AnySchema, payload) as { value: Uint8Array } | undefined;
  assert.deepEqual(known, fromBinary(AnySchema, any));
  assert.equal(known?.value.buffer, chunk.buffer);
  const unknown = keeping.decodeInPlace?.(StringValueSchema, payload);
  assert.deepEqual(unknown?.$unknown, fromBinary(StringValueSchema, any).$unknown);
  assert.deepEqual(keeping.encode(StringValueSchema, unknown as never), any);
});
