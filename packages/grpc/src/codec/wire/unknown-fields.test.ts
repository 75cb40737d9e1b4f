import assert from "node:assert/strict";
import { test } from "node:test";
import {
  clearExtension,
  clone,
  create,
  createFileRegistry,
  createRegistry,
  equals,
  fromBinary,
  getExtension,
  hasExtension,
  type Message,
  type MessageShape,
  mergeFromBinary,
  setExtension,
  toBinary,
} from "@bufbuild/protobuf";
import { reflect } from "@bufbuild/protobuf/reflect";
import { BinaryWriter, WireType } from "@bufbuild/protobuf/wire";
import {
  FieldOptionsSchema,
  FileDescriptorSetSchema,
  file_google_protobuf_descriptor,
  FieldDescriptorProto_Label as Label,
  StringValueSchema,
  FieldDescriptorProto_Type as Type,
  TypeSchema,
} from "@bufbuild/protobuf/wkt";
import { mayGenerateCode } from "../compiled/code-generation.ts";
import { createProtobufCodec } from "../protobuf.ts";

const codec = createProtobufCodec();
const options = { skip: mayGenerateCode() ? false : "protobuf-es makes $unknown itself" };
type StringValue = MessageShape<typeof StringValueSchema>;

/** Unknown fields of every wire type around the one that StringValue knows, groups within groups among them. */
const bytes = new BinaryWriter()
  .tag(9, WireType.Varint)
  .uint32(300)
  .tag(9, WireType.Varint)
  .uint32(1)
  .tag(2000, WireType.Bit64)
  .double(1.5)
  .tag(1, WireType.LengthDelimited)
  .string("known")
  .tag(3, WireType.LengthDelimited)
  .string("text")
  .tag(4, WireType.StartGroup)
  .tag(5, WireType.StartGroup)
  .tag(1, WireType.Varint)
  .uint32(7)
  .tag(5, WireType.EndGroup)
  .tag(4, WireType.EndGroup)
  .tag(6, WireType.Bit32)
  .float(2)
  .finish();

const read = (): StringValue => codec.decode(StringValueSchema, bytes) as StringValue;
const expected = fromBinary(StringValueSchema, bytes);

test("makes no object of an unknown field before $unknown is read, and the list of protobuf-es then", options, () => {
  const message = read();
  assert.equal(typeof Object.getOwnPropertyDescriptor(message, "$unknown")?.get, "function");
  assert.equal(message.$unknown, message.$unknown);
  assert.deepEqual(message.$unknown, expected.$unknown);
  assert.deepEqual(message, expected);
});

test("gives a message without unknown fields no $unknown", () => {
  const message = codec.decode(StringValueSchema, Uint8Array.of(0x0a, 1, 0x61));
  assert.deepEqual(Reflect.ownKeys(message), ["$typeName", "value"]);
});

test("is what protobuf-es's functions take: toBinary, clone, equals, reflection, merging", () => {
  assert.deepEqual(toBinary(StringValueSchema, read()), toBinary(StringValueSchema, expected));
  assert.deepEqual(codec.encode(StringValueSchema, read()), toBinary(StringValueSchema, expected));
  assert.deepEqual(clone(StringValueSchema, read()), clone(StringValueSchema, expected));
  assert.ok(equals(StringValueSchema, read(), expected, { unknown: true, registry: createRegistry() }));
  assert.ok(
    equals(StringValueSchema, create(StringValueSchema, read()), expected, {
      unknown: true,
      registry: createRegistry(),
    }),
  );
  assert.deepEqual(reflect(StringValueSchema, read()).getUnknown(), expected.$unknown);
  const merged = mergeFromBinary(StringValueSchema, read(), bytes);
  assert.equal(merged.$unknown?.length, 2 * (expected.$unknown?.length as number));
});

test("keeps what is put in its place: another list, one more field, nothing", () => {
  const field = { no: 77, wireType: WireType.Varint, data: Uint8Array.of(1) };
  const message = read();
  reflect(StringValueSchema, message).setUnknown([field]);
  assert.deepEqual(message.$unknown, [field]);
  message.$unknown?.push(field);
  assert.equal(message.$unknown?.length, 2);
  message.$unknown = undefined as never;
  assert.equal(message.$unknown, undefined);
  assert.deepEqual(codec.encode(StringValueSchema, message), Uint8Array.of(0x0a, 5, ...Buffer.from("known")));
});

test("holds extensions, which can be read, set and cleared", () => {
  const registry = createFileRegistry(
    create(FileDescriptorSetSchema, {
      file: [
        file_google_protobuf_descriptor.proto,
        {
          name: "sensitive.proto",
          syntax: "proto2",
          dependency: ["google/protobuf/descriptor.proto"],
          extension: [
            {
              name: "sensitive",
              number: 50_000,
              type: Type.BOOL,
              label: Label.OPTIONAL,
              extendee: ".google.protobuf.FieldOptions",
            },
          ],
        },
      ],
    }),
  );
  const sensitive = registry.getExtension("sensitive");
  assert.ok(sensitive);
  const original = create(FieldOptionsSchema, { deprecated: true });
  setExtension(original, sensitive, true);
  const message = codec.decode(FieldOptionsSchema, toBinary(FieldOptionsSchema, original)) as typeof original;
  assert.equal(getExtension(message, sensitive), true);
  setExtension(message, sensitive, false);
  assert.equal(getExtension(message, sensitive), false);
  clearExtension(message, sensitive);
  assert.equal(hasExtension(message, sensitive), false);
});

test("goes along when a message is spread, cloned for another thread, or frozen", () => {
  assert.deepEqual({ ...read() }, { ...expected });
  assert.deepEqual(structuredClone(read()), structuredClone(expected));
  assert.deepEqual(Object.freeze(read()).$unknown, expected.$unknown);
});

test("keeps unknown fields of every message apart, and those of parts of one message together", () => {
  const part = (number: number) => Buffer.of(0x12, 2, 0x78, number);
  const input = Buffer.concat([part(1), part(2), Buffer.of(0x2a, 2, 0x78, 3), Buffer.of(0x2a, 2, 0x78, 4)]);
  const message = codec.decode(TypeSchema, new Uint8Array(input)) as Message;
  assert.deepEqual(message, fromBinary(TypeSchema, new Uint8Array(input)));
});
