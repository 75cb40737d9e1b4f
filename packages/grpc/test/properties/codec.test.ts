import assert from "node:assert/strict";
import { describe, test } from "node:test";
import {
  create,
  type DescField,
  type DescMessage,
  fromBinary,
  type Message,
  ScalarType,
  toBinary,
} from "@bufbuild/protobuf";
import { reflect } from "@bufbuild/protobuf/reflect";
import {
  ApiSchema,
  DescriptorProtoSchema,
  DurationSchema,
  FieldDescriptorProtoSchema,
  FieldOptionsSchema,
  ListValueSchema,
  TypeSchema,
  ValueSchema,
} from "@bufbuild/protobuf/wkt";
import { ConnectError } from "@connectrpc/connect";
import fc from "fast-check";
import { createProtobufCodec } from "../../src/codec/protobuf.ts";
import { HealthListResponseSchema } from "../../src/gen/grpc/health/v1/health_pb.ts";
import { EchoRequestSchema } from "../gen/tercel/grpc/test/v1/echo_pb.ts";
import { propertyOptions } from "./property-options.ts";

const schemas: readonly DescMessage[] = [
  EchoRequestSchema,
  HealthListResponseSchema,
  DurationSchema,
  TypeSchema,
  ApiSchema,
  DescriptorProtoSchema,
  FieldDescriptorProtoSchema,
  FieldOptionsSchema,
  ListValueSchema,
  ValueSchema,
];

const codec = createProtobufCodec();
const maxDepth = 3;

/** Messages of a schema with any fields set to any values, nested to a depth. */
function messages(schema: DescMessage, depth = 0): fc.Arbitrary<Message> {
  const fields = schema.fields.filter((field) => field.message === undefined || depth < maxDepth);
  const settings = fields.map((field) => fc.option(values(field, depth), { nil: undefined, freq: 2 }));
  return fc.tuple(...settings).map((chosen) => {
    const message = create(schema);
    const mirror = reflect(schema, message);
    chosen.forEach((value, at) => {
      const field = fields[at] as DescField;
      if (value === undefined) return;
      if (field.fieldKind === "list") {
        const list = mirror.get(field);
        for (const item of value as unknown[]) list.add(item);
      } else if (field.fieldKind === "map") {
        const map = mirror.get(field);
        for (const [key, item] of value as [string, unknown][]) map.set(key, item);
      } else mirror.set(field, value as never);
    });
    return message;
  });
}

function values(field: DescField, depth: number): fc.Arbitrary<unknown> {
  const one = single(field, depth);
  if (field.fieldKind === "list") return fc.array(one, { maxLength: 3 });
  // Keys are set as properties, and "__proto__" is none.
  if (field.fieldKind === "map")
    return fc.array(
      fc.tuple(
        fc.string().filter((key) => key !== "__proto__"),
        one,
      ),
      { maxLength: 3 },
    );
  return one;
}

function single(field: DescField, depth: number): fc.Arbitrary<unknown> {
  const { message } = field;
  if (message !== undefined) return messages(message, depth + 1).map((nested) => reflect(message, nested));
  if (field.enum !== undefined) return fc.oneof(fc.constantFrom(...field.enum.values.map((value) => value.number)));
  return scalar(field.scalar as ScalarType);
}

function scalar(type: ScalarType): fc.Arbitrary<unknown> {
  switch (type) {
    case ScalarType.STRING:
      return fc.oneof(fc.string({ unit: "grapheme" }), fc.string({ minLength: 100, maxLength: 300, size: "max" }));
    case ScalarType.BYTES:
      return fc.uint8Array({ maxLength: 300 });
    case ScalarType.BOOL:
      return fc.boolean();
    case ScalarType.DOUBLE:
      return fc.double();
    case ScalarType.FLOAT:
      return fc.float();
    case ScalarType.INT64:
    case ScalarType.SFIXED64:
    case ScalarType.SINT64:
      return fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n });
    case ScalarType.UINT64:
    case ScalarType.FIXED64:
      return fc.bigInt({ min: 0n, max: 2n ** 64n - 1n });
    case ScalarType.UINT32:
    case ScalarType.FIXED32:
      return fc.integer({ min: 0, max: 2 ** 32 - 1 });
    default:
      return fc.integer();
  }
}

/** Undefined: a required field is not set, somewhere in the message. */
function toBinaryOrNothing(schema: DescMessage, message: Message): Uint8Array | undefined {
  try {
    return toBinary(schema, message);
  } catch {
    return undefined;
  }
}

describe("the protobuf codec, whatever the message", () => {
  for (const schema of schemas) {
    test(`writes ${schema.typeName} as protobuf-es does, and reads it back`, () => {
      let written = 0;
      fc.assert(
        fc.property(messages(schema), (message) => {
          const expected = toBinaryOrNothing(schema, message);
          if (expected === undefined) {
            assert.throws(() => codec.encode(schema, message), ConnectError);
            return;
          }
          const bytes = codec.encode(schema, message);
          assert.ok(Buffer.from(expected).equals(bytes));
          written += bytes.length;
          assert.ok(Buffer.from(toBinary(schema, codec.decode(schema, bytes))).equals(expected));
        }),
        propertyOptions(500),
      );
      assert.ok(written > 500, "the messages were empty");
    });

    test(`answers any bytes with a ${schema.typeName} or a ConnectError`, () => {
      const likely = fc.oneof(
        fc.integer({ min: 0, max: 255 }),
        fc.constantFrom(0x0a, 0x12, 0x1a, 0x08, 0x10, 1, 2, 0x80),
      );
      fc.assert(
        fc.property(fc.array(likely, { maxLength: 40 }), (given) => {
          const bytes = Uint8Array.from(given);
          let message: Message;
          try {
            message = codec.decode(schema, bytes);
          } catch (error) {
            assert.ok(error instanceof ConnectError);
            return;
          }
          assert.ok(Buffer.from(codec.encode(schema, message)).equals(toBinary(schema, fromBinary(schema, bytes))));
        }),
        propertyOptions(500),
      );
    });
  }
});
