import assert from "node:assert/strict";
import { test } from "node:test";
import { create, createRegistry, type Message, type MessageShape } from "@bufbuild/protobuf";
import { AnySchema, anyPack, DurationSchema, ListValueSchema, TypeSchema } from "@bufbuild/protobuf/wkt";
import { Code, ConnectError } from "@connectrpc/connect";
import { HealthCheckRequestSchema } from "../gen/grpc/health/v1/health_pb.ts";
import { createJsonCodec } from "./json.ts";
import { costOfMessage } from "./size/memory-costs.ts";
import { costlySchema } from "./testing/costly-messages.ts";

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

test("refuses bytes that are not UTF-8", () => {
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

/** So many bytes of a list of the same item, in the field. */
function listOf(field: string, item: string, bytes: number): Uint8Array {
  const items = new Array<string>(Math.floor(bytes / (item.length + 1))).fill(item);
  return Buffer.from(`{"${field}":[${items.join(",")}]}`);
}

test("refuses a message that would take far more memory than its text", () => {
  const mebibyte = 2 ** 20;
  for (const [field, item] of [
    ["wide", "{}"],
    ["small", "{}"],
    ["bytes", '""'],
    ["list", "[]"],
    ["list", "null"],
    ["notThere", "{}"],
  ] as const) {
    assert.throws(
      () => codec.decode(costlySchema, listOf(field, item, mebibyte)),
      (error) =>
        error instanceof ConnectError && error.code === Code.ResourceExhausted && /maxDecoded/.test(error.message),
      `${field} ${item}`,
    );
  }
});

test("takes 50,000 small messages, 100,000 numbers and text full of braces", () => {
  const small = listOf("small", '{"id":5,"name":"a name"}', 50_000 * 25);
  const ints = listOf("ints", "5", 200_000);
  const text = listOf("strings", JSON.stringify('{[{["'.repeat(500_000)), 3_000_000);
  for (const bytes of [small, ints, text]) assert.ok(codec.decode(costlySchema, bytes));
});

test("takes a message at the limit and refuses one element more", () => {
  // The list's items, as protobuf counts them, are dearer than what JSON.parse makes.
  const each = costOfMessage(costlySchema).fieldsByName.get("wide")?.bytes as number;
  const strict = createJsonCodec({}, { maxDecodedMessageBytes: 2000 * each });
  assert.ok(strict.decode(costlySchema, listOf("wide", "{}", 3 * 2000)));
  assert.throws(() => strict.decode(costlySchema, listOf("wide", "{}", 3 * 2001)), /resource_exhausted/);
});
