import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { create, fromBinary, type Message, type MessageShape, toBinary } from "@bufbuild/protobuf";
import {
  AnySchema,
  BytesValueSchema,
  DurationSchema,
  FileDescriptorProtoSchema,
  ListValueSchema,
  StringValueSchema,
  TypeSchema,
  type Value,
} from "@bufbuild/protobuf/wkt";
import { Code, ConnectError } from "@connectrpc/connect";
import { StatusSchema } from "../gen/google/rpc/status_pb.ts";
import { HealthCheckRequestSchema, HealthListResponseSchema } from "../gen/grpc/health/v1/health_pb.ts";
import { createProtobufCodec } from "./protobuf.ts";
import { damage, randomBytes } from "./testing/random-bytes.ts";
import { createRandom, randomSchema } from "./testing/random-schema.ts";

const codec = createProtobufCodec();

function codeOf(action: () => unknown): Code {
  try {
    action();
  } catch (error) {
    assert.ok(error instanceof ConnectError);
    return error.code;
  }
  assert.fail("did not fail");
}

function nestedList(depth: number): MessageShape<typeof ListValueSchema> {
  let list = create(ListValueSchema);
  for (let level = 1; level < depth; level++) {
    const value = { $typeName: "google.protobuf.Value", kind: { case: "listValue", value: list } } as Value;
    list = create(ListValueSchema, { values: [value] });
  }
  return list;
}

test("reads back what it writes", () => {
  const message = create(TypeSchema, { name: "ü ☺", fields: [{ number: 5, name: "f" }], oneofs: ["a", "b"] });
  assert.deepEqual(codec.decode(TypeSchema, codec.encode(TypeSchema, message)), message);
  assert.equal(codec.name, "proto");
});

test("writes what protobuf-es writes", () => {
  const message = create(TypeSchema, { name: "n", fields: [{ number: 5 }] });
  assert.deepEqual(codec.encode(TypeSchema, message), toBinary(TypeSchema, message));
});

test("refuses bytes that are no such message, as Internal or as told", () => {
  for (const bytes of [[0x0a], [0x0a, 5, 0x61], [0x00], [0x0f], [0xff, 0xff, 0xff, 0xff, 0xff, 0xff], [0x0c]]) {
    const input = Uint8Array.from(bytes);
    assert.equal(
      codeOf(() => codec.decode(HealthCheckRequestSchema, input)),
      Code.Internal,
      String(bytes),
    );
    assert.equal(
      codeOf(() => codec.decode(HealthCheckRequestSchema, input, Code.InvalidArgument)),
      Code.InvalidArgument,
    );
  }
});

test("refuses a string that is not UTF-8", () => {
  assert.equal(
    codeOf(() => codec.decode(HealthCheckRequestSchema, Uint8Array.of(0x0a, 2, 0xc0, 0x80))),
    Code.Internal,
  );
});

test("accepts a hundred levels of nesting and refuses one more", () => {
  // Each level of a list is two messages deep: a Value and the list in it.
  const deepest = toBinary(ListValueSchema, nestedList(50));
  assert.equal(codec.decode(ListValueSchema, deepest).$typeName, "google.protobuf.ListValue");
  assert.equal(
    codeOf(() => codec.decode(ListValueSchema, toBinary(ListValueSchema, nestedList(51)))),
    Code.Internal,
  );
});

test("fails to write a message that does not fit its schema as Internal", () => {
  assert.equal(
    codeOf(() => codec.encode(DurationSchema, create(StringValueSchema, { value: "x" }))),
    Code.Internal,
  );
  const wrong = { $typeName: "google.protobuf.Duration", seconds: 1n, nanos: "many" } as never;
  assert.equal(
    codeOf(() => codec.encode(DurationSchema, wrong)),
    Code.Internal,
  );
});

test("writes correctly after a failure", () => {
  const wrong = { $typeName: "google.protobuf.Duration", seconds: 1n, nanos: 1.5 } as never;
  assert.equal(
    codeOf(() => codec.encode(DurationSchema, wrong)),
    Code.Internal,
  );
  const right = create(DurationSchema, { seconds: 3n, nanos: 4 });
  assert.deepEqual(codec.encode(DurationSchema, right), toBinary(DurationSchema, right));
});

test("keeps two messages apart when one is written while the other is", () => {
  const inner = create(StringValueSchema, { value: "inner" });
  let input: Uint8Array | undefined;
  const outer = {
    ...create(DurationSchema, { seconds: 7n }),
    get nanos() {
      input = codec.encode(StringValueSchema, inner);
      return 5;
    },
  };
  const expected = toBinary(DurationSchema, create(DurationSchema, { seconds: 7n, nanos: 5 }));
  assert.deepEqual(codec.encode(DurationSchema, outer), expected);
  assert.deepEqual(input, toBinary(StringValueSchema, inner));
});

test("keeps unknown fields by default and drops them when told to", () => {
  const bytes = toBinary(TypeSchema, create(TypeSchema, { name: "n", oneofs: ["later"] }));
  const roundTrip = codec.encode(HealthCheckRequestSchema, codec.decode(HealthCheckRequestSchema, bytes));
  assert.deepEqual(roundTrip, bytes);
  const forgetful = createProtobufCodec({ keepUnknownFields: false });
  const shorter = forgetful.encode(HealthCheckRequestSchema, forgetful.decode(HealthCheckRequestSchema, bytes));
  assert.deepEqual(shorter, Uint8Array.of(0x0a, 1, 0x6e));
});

test("tells that any message may hold views while unknown fields are kept", () => {
  assert.equal(codec.retainsInput(DurationSchema), true);
});

test("tells which messages may hold views when unknown fields are dropped", () => {
  const forgetful = createProtobufCodec({ keepUnknownFields: false });
  for (const schema of [DurationSchema, HealthListResponseSchema, ListValueSchema]) {
    for (let again = 0; again < 2; again++) assert.equal(forgetful.retainsInput(schema), false, schema.typeName);
  }
  for (const schema of [BytesValueSchema, AnySchema, StatusSchema, TypeSchema, FileDescriptorProtoSchema]) {
    for (let again = 0; again < 2; again++) assert.equal(forgetful.retainsInput(schema), true, schema.typeName);
  }
});

test("holds views exactly where it says so", () => {
  const bytes = toBinary(BytesValueSchema, create(BytesValueSchema, { value: Uint8Array.of(1, 2) }));
  const message = codec.decode(BytesValueSchema, bytes) as MessageShape<typeof BytesValueSchema>;
  assert.equal(message.value.buffer, bytes.buffer);
});

test("reads, refuses and writes what protobuf-es does, for random types and bytes", () => {
  const random = createRandom(99);
  const counts = { read: 0, refused: 0 };
  for (let type = 0; type < 60; type++) {
    const schema = randomSchema(random);
    for (let round = 0; round < 20; round++) {
      const data = randomBytes(schema, random);
      const input = round % 2 === 0 ? data : damage(data, random);
      let expected: Message;
      try {
        expected = fromBinary(schema, input);
      } catch {
        codeOf(() => codec.decode(schema, input));
        counts.refused++;
        continue;
      }
      assert.deepEqual(codec.decode(schema, input), expected);
      let written: Uint8Array;
      try {
        written = toBinary(schema, expected);
      } catch {
        codeOf(() => codec.encode(schema, expected));
        continue;
      }
      assert.ok(Buffer.from(written).equals(codec.encode(schema, expected)));
      counts.read++;
    }
  }
  assert.ok(counts.read > 500 && counts.refused > 50, JSON.stringify(counts));
});

const flag = "--disallow-code-generation-from-strings";

test("does all this where code may not be generated from strings", {
  skip: process.execArgv.includes(flag) ? "this is that process" : false,
}, () => {
  const { NODE_TEST_CONTEXT: _, ...env } = process.env;
  const program = fileURLToPath(import.meta.url);
  const { status, stdout, stderr } = spawnSync(process.execPath, [flag, "--conditions=source", program], {
    env,
    encoding: "utf8",
  });
  assert.equal(status, 0, stdout);
  assert.match(stdout, /reads back what it writes/);
  assert.doesNotMatch(stderr, /generated protobuf code failed/);
});
