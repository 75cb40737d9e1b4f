import assert from "node:assert/strict";
import { test } from "node:test";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { DurationSchema, TypeSchema } from "@bufbuild/protobuf/wkt";
import { Code, ConnectError } from "@connectrpc/connect";
import { decodeMessage, encodeMessage } from "@tercel/grpc/codec";

test("writes and reads a message under the name that users import", () => {
  const message = create(TypeSchema, { name: "n", oneofs: ["a"] });
  const bytes = encodeMessage(TypeSchema, message);
  assert.deepEqual(bytes, toBinary(TypeSchema, message));
  assert.deepEqual(decodeMessage(TypeSchema, bytes), fromBinary(TypeSchema, bytes));
});

test("keeps unknown fields through a round trip", () => {
  const bytes = toBinary(TypeSchema, create(TypeSchema, { name: "n", oneofs: ["a"] }));
  const message = decodeMessage(DurationSchema, bytes.subarray(3));
  assert.equal(message.$unknown?.length, 1);
  assert.deepEqual(encodeMessage(DurationSchema, message), bytes.subarray(3));
});

test("fails as ConnectError, with the reason", () => {
  const isReasoned = (error: unknown) =>
    error instanceof ConnectError && error.code === Code.Internal && error.message.includes("google.protobuf.Type");
  assert.throws(() => decodeMessage(TypeSchema, Uint8Array.of(0x0a, 5)), isReasoned);
  assert.throws(() => encodeMessage(TypeSchema, create(DurationSchema) as never), isReasoned);
});
