import assert from "node:assert/strict";
import { test } from "node:test";
import { create, createRegistry, type Message, type MessageShape } from "@bufbuild/protobuf";
import { AnySchema, anyPack, DurationSchema, ListValueSchema, TypeSchema } from "@bufbuild/protobuf/wkt";
import { Code, ConnectError } from "@connectrpc/connect";
import { HealthCheckRequestSchema } from "../gen/grpc/health/v1/health_pb.ts";
import { createJsonCodec } from "./json.ts";

const codec = createJsonCodec();
const utf8 = (text: string) => new TextEncoder().encode(text);

function refusal(bytes: Uint8Array, errorCode?: Code): Code {
  try {
    codec.decode(HealthCheckRequestSchema, bytes, errorCode);
  } catch (error) {
    assert.ok(error instanceof ConnectError);
    return error.code;
  }
  assert.fail("was not refused");
}

test("reads back what it writes", () => {
  const message = create(TypeSchema, { name: "ü ☺", fields: [{ number: 5 }] });
  assert.deepEqual(codec.decode(TypeSchema, codec.encode(TypeSchema, message)), message);
  assert.equal(codec.name, "json");
});

test("skips unknown fields unless told to refuse them", () => {
  const bytes = utf8('{"service":"s","later":1}');
  const message = codec.decode(HealthCheckRequestSchema, bytes) as MessageShape<typeof HealthCheckRequestSchema>;
  assert.equal(message.service, "s");
  assert.throws(
    () => createJsonCodec({ ignoreUnknownFields: false }).decode(HealthCheckRequestSchema, bytes),
    ConnectError,
  );
});

test("refuses what is no such message, as Internal or as told", () => {
  for (const text of ["", "{", "[]", "7", '{"service":7}', '{"service":"a","service":"b"}']) {
    assert.equal(refusal(utf8(text)), Code.Internal, text);
    assert.equal(refusal(utf8(text), Code.InvalidArgument), Code.InvalidArgument);
  }
});

test("refuses octets that are not UTF-8", () => {
  assert.equal(refusal(Uint8Array.of(...utf8('{"service":"'), 0xff, ...utf8('"}'))), Code.Internal);
});

test("survives deep nesting", () => {
  const depth = 100_000;
  assert.throws(() => codec.decode(ListValueSchema, utf8("[".repeat(depth) + "]".repeat(depth))), ConnectError);
});

test("takes no prototype from a peer", () => {
  const message = codec.decode(HealthCheckRequestSchema, utf8('{"__proto__":{"polluted":1},"service":"s"}'));
  assert.equal((message as Message & { polluted?: unknown }).polluted, undefined);
  assert.equal(({} as { polluted?: unknown }).polluted, undefined);
});

test("reads and writes Any with a registry only", () => {
  const any = anyPack(DurationSchema, create(DurationSchema, { seconds: 5n }));
  assert.throws(
    () => codec.encode(AnySchema, any),
    (error) => error instanceof ConnectError && error.code === Code.Internal,
  );
  const informed = createJsonCodec({ registry: createRegistry(DurationSchema) });
  assert.deepEqual(informed.decode(AnySchema, informed.encode(AnySchema, any)), any);
});

test("holds no views of its input", () => {
  assert.equal(codec.retainsInput(AnySchema), false);
});
