import assert from "node:assert/strict";
import { test } from "node:test";
import {
  clone,
  create,
  createFileRegistry,
  type DescMessage,
  equals,
  fromBinary,
  isFieldSet,
  isMessage,
  type Message,
  toBinary,
  toJson,
} from "@bufbuild/protobuf";
import { BinaryWriter, WireType } from "@bufbuild/protobuf/wire";
import {
  FieldDescriptorProtoSchema,
  FieldOptionsSchema,
  FileDescriptorProtoSchema,
  FileDescriptorSetSchema,
  file_google_protobuf_descriptor,
  FieldDescriptorProto_Label as Label,
  ListValueSchema,
  StructSchema,
  FieldDescriptorProto_Type as Type,
  TypeSchema,
  ValueSchema,
} from "@bufbuild/protobuf/wkt";
import { damage, randomBytes } from "../testing/random-bytes.ts";
import { createRandom, randomSchema } from "../testing/random-schema.ts";
import { oddInput, WireReader } from "../wire/wire-reader.ts";
import { mayGenerateCode } from "./code-generation.ts";
import { compileMessageReader } from "./message-reader.ts";

const options = { skip: mayGenerateCode() ? false : "code may not be generated from strings" };

function read(schema: DescMessage, bytes: Uint8Array, keepUnknownFields = true): Message {
  const readMessage = compileMessageReader(schema);
  assert.ok(readMessage);
  const reader = new WireReader();
  reader.start(bytes, keepUnknownFields, Number.MAX_SAFE_INTEGER);
  return readMessage(reader);
}

function readOrOdd(schema: DescMessage, bytes: Uint8Array): Message | undefined {
  try {
    return read(schema, bytes);
  } catch (thrown) {
    assert.equal(thrown, oddInput);
    return undefined;
  }
}

/** What protobuf-es reads, or `undefined` if it refuses. */
function reference(schema: DescMessage, bytes: Uint8Array, readUnknownFields = true): Message | undefined {
  try {
    return fromBinary(schema, bytes, { readUnknownFields });
  } catch {
    return undefined;
  }
}

test("reads random messages of random types as protobuf-es does, down to the objects", options, () => {
  const random = createRandom(11);
  let compared = 0;
  let left = 0;
  for (let type = 0; type < 150; type++) {
    const schema = randomSchema(random);
    for (let round = 0; round < 12; round++) {
      const bytes = randomBytes(schema, random);
      const message = readOrOdd(schema, bytes);
      if (message === undefined) {
        left++;
        continue;
      }
      assert.deepEqual(message, reference(schema, bytes), `type ${type} round ${round}`);
      compared++;
    }
  }
  assert.ok(compared > 1000, `only ${compared} were read, ${left} left to protobuf-es`);
});

test("reads whatever protobuf-es writes for random types, but for groups inside unknown fields", options, () => {
  const random = createRandom(5);
  let compared = 0;
  for (let type = 0; type < 150; type++) {
    const schema = randomSchema(random);
    for (let round = 0; round < 6; round++) {
      const message = reference(schema, randomBytes(schema, random), false);
      if (message === undefined) continue;
      const bytes = toBinary(schema, message);
      assert.deepEqual(read(schema, bytes), fromBinary(schema, bytes), `type ${type} round ${round}`);
      compared++;
    }
  }
  assert.ok(compared > 500);
});

test("reads nothing out of damaged bytes that protobuf-es does not", options, () => {
  const random = createRandom(3);
  let refused = 0;
  let compared = 0;
  for (let type = 0; type < 100; type++) {
    const schema = randomSchema(random);
    for (let round = 0; round < 30; round++) {
      const bytes = damage(randomBytes(schema, random), random);
      const message = readOrOdd(schema, bytes);
      if (message === undefined) refused++;
      else {
        assert.deepEqual(message, reference(schema, bytes), `type ${type} round ${round}`);
        compared++;
      }
    }
  }
  assert.ok(refused > 500 && compared > 500, `${refused} refused, ${compared} compared`);
});

test("drops unknown fields at every level when told to", options, () => {
  const random = createRandom(23);
  for (let type = 0; type < 100; type++) {
    const schema = randomSchema(random);
    const bytes = randomBytes(schema, random);
    if (readOrOdd(schema, bytes) === undefined) continue;
    assert.deepEqual(read(schema, bytes, false), reference(schema, bytes, false));
  }
});

test("makes messages that protobuf-es's functions take for its own", options, () => {
  const file = file_google_protobuf_descriptor.proto;
  const message = read(FileDescriptorProtoSchema, toBinary(FileDescriptorProtoSchema, file)) as typeof file;
  assert.ok(isMessage(message, FileDescriptorProtoSchema));
  assert.ok(equals(FileDescriptorProtoSchema, message, file));
  assert.deepEqual(toJson(FileDescriptorProtoSchema, message), toJson(FileDescriptorProtoSchema, file));
  assert.deepEqual(clone(FileDescriptorProtoSchema, message), message);
});

test("tells a field that is not set from one that is set to its default, in proto2", options, () => {
  const unset = read(FieldOptionsSchema, new Uint8Array(0)) as ReturnType<typeof create<typeof FieldOptionsSchema>>;
  assert.equal(unset.lazy, false);
  assert.equal(isFieldSet(unset, FieldOptionsSchema.field.lazy), false);
  const bytes = toBinary(FieldOptionsSchema, create(FieldOptionsSchema, { lazy: false }));
  const set = read(FieldOptionsSchema, bytes) as typeof unset;
  assert.equal(isFieldSet(set, FieldOptionsSchema.field.lazy), true);
  assert.equal(Object.getPrototypeOf(set), Object.getPrototypeOf(create(FieldOptionsSchema)));
});

test("adds the second occurrence of a message to the first, also in a oneof", options, () => {
  const half = (init: object) => toBinary(FieldDescriptorProtoSchema, create(FieldDescriptorProtoSchema, init));
  const bytes = Buffer.concat([half({ options: { lazy: true } }), half({ options: { packed: true } })]);
  assert.deepEqual(
    read(FieldDescriptorProtoSchema, new Uint8Array(bytes)),
    fromBinary(FieldDescriptorProtoSchema, bytes),
  );

  const listOf = (text: string) =>
    toBinary(
      ValueSchema,
      create(ValueSchema, {
        kind: { case: "listValue", value: { values: [{ kind: { case: "stringValue", value: text } }] } },
      }),
    );
  const lists = new Uint8Array(Buffer.concat([listOf("a"), listOf("b")]));
  const message = read(ValueSchema, lists);
  assert.deepEqual(message, fromBinary(ValueSchema, lists));
  assert.equal((message as { kind: { value: { values: unknown[] } } }).kind.value.values.length, 2);
});

test("reads a hundred levels and leaves one more to protobuf-es", options, () => {
  const nested = (levels: number) => {
    let bytes = new Uint8Array(0);
    for (let level = 1; level < levels; level++) {
      // Value.list_value is field 6, ListValue.values field 1.
      const tag = level % 2 === 0 ? 6 : 1;
      bytes = new BinaryWriter().tag(tag, WireType.LengthDelimited).bytes(bytes).finish() as typeof bytes;
    }
    return bytes;
  };
  const top = (levels: number) => (levels % 2 === 0 ? ListValueSchema : ValueSchema);
  assert.deepEqual(read(top(100), nested(100)), fromBinary(top(100), nested(100)));
  assert.equal(readOrOdd(top(101), nested(101)), undefined);
  assert.equal(reference(top(101), nested(101)), undefined);
});

test("keeps a map key called __proto__ as a key", options, () => {
  const bytes = toBinary(
    StructSchema,
    create(StructSchema, {
      fields: JSON.parse(
        '{"__proto__":{"$typeName":"google.protobuf.Value","kind":{"case":"boolValue","value":true}}}',
      ),
    }),
  );
  const message = read(StructSchema, bytes) as { fields: object } & Message;
  assert.deepEqual(Object.keys(message.fields), ["__proto__"]);
  assert.equal(Object.getPrototypeOf(message.fields), Object.prototype);
  assert.deepEqual(message, fromBinary(StructSchema, bytes));
});

test("takes names that would be code for the names they are", options, () => {
  const name = 'x"];globalThis.broken=true;["';
  const typeName = 'M"+(globalThis.broken=true)+"';
  const field = TypeSchema.field.name;
  // protobuf-es refuses to make such a schema; the reader does not rely on it.
  const member = { ...field, localName: name, toString: () => name } as typeof field;
  const schema: DescMessage = { ...TypeSchema, typeName, fields: [member], members: [member] };
  const message = read(schema, Uint8Array.of(0x0a, 1, 0x61)) as Message & Record<string, unknown>;
  assert.equal(message.$typeName, typeName);
  assert.equal(message[name], "a");
  assert.equal("broken" in globalThis, false);
});

test("gives bytes as a plain Uint8Array, a view of the input wherever it lies", options, () => {
  const whole = Buffer.from([9, 9, 0x0a, 2, 7, 8, 9]);
  const schema = createFileRegistry(
    create(FileDescriptorSetSchema, {
      file: [
        {
          name: "b.proto",
          syntax: "proto3",
          messageType: [{ name: "B", field: [{ name: "b", number: 1, type: Type.BYTES, label: Label.OPTIONAL }] }],
        },
      ],
    }),
  ).getMessage("B");
  assert.ok(schema);
  const { b } = read(schema, whole.subarray(2, 6)) as unknown as { b: Uint8Array };
  assert.equal(b.constructor, Uint8Array);
  assert.deepEqual([...b], [7, 8]);
  assert.equal(b.buffer, whole.buffer);
});

test("reads ASCII and other text of every short length", options, () => {
  for (let length = 0; length < 60; length++) {
    for (const text of ["a".repeat(length), `${"b".repeat(length)}é`, `☺${"c".repeat(length)}`, "\ufeff", "\ufffd"]) {
      const bytes = toBinary(TypeSchema, create(TypeSchema, { name: text, oneofs: [text] }));
      assert.deepEqual(read(TypeSchema, bytes), fromBinary(TypeSchema, bytes), JSON.stringify(text));
    }
  }
});
