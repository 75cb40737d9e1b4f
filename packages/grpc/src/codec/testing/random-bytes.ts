import { type DescField, type DescMessage, ScalarType } from "@bufbuild/protobuf";
import { BinaryWriter, WireType } from "@bufbuild/protobuf/wire";
import { wireTypeOf } from "../wire/wire-type.ts";
import type { Random } from "./random-schema.ts";

/**
 * Bytes as some sender of this schema may write them: fields in any order, more than once, packed or not, maps without key or
 * value, numbers without a name in closed enums, and fields that the schema does not know.
 */
export function randomBytes(schema: DescMessage, random: Random): Uint8Array {
  const writer = new BinaryWriter();
  writeFields(writer, schema, random, 4);
  return writer.finish();
}

/** One change somewhere: another byte, one less, one more, or an end. */
export function damage(bytes: Uint8Array, random: Random): Uint8Array {
  const at = random(bytes.length + 1);
  switch (random(5)) {
    case 0:
      return bytes.slice(0, at);
    case 1:
      return Uint8Array.of(...bytes.subarray(0, at), random(256), ...bytes.subarray(at));
    case 2:
      return Uint8Array.of(...bytes.subarray(0, at), ...bytes.subarray(at + 1));
    case 3:
      return bytes.map((byte, n) => (n === at ? byte ^ (1 << random(8)) : byte));
    default:
      return bytes.map((byte, n) => (n === at ? random(256) : byte));
  }
}

function writeFields(writer: BinaryWriter, schema: DescMessage, random: Random, depth: number): void {
  const count = random(depth * 3);
  for (let n = 0; n < count; n++) {
    const field = schema.fields[random(schema.fields.length)];
    if (field === undefined || random(12) === 0) writeUnknown(writer, random);
    else writeField(writer, field, random, depth);
  }
}

function writeUnknown(writer: BinaryWriter, random: Random): void {
  const number = 40_000 + random(3);
  switch (random(5)) {
    case 0:
      writer.tag(number, WireType.Varint).uint32(random(1000));
      break;
    case 1:
      writer.tag(number, WireType.Bit64).double(random(1000));
      break;
    case 2:
      writer.tag(number, WireType.Bit32).float(random(1000));
      break;
    case 3:
      writer.tag(number, WireType.StartGroup);
      writer.tag(1, WireType.Varint).uint32(1);
      writer.tag(number, WireType.EndGroup);
      break;
    default:
      writer.tag(number, WireType.LengthDelimited).string("unknown");
  }
}

function writeField(writer: BinaryWriter, field: DescField, random: Random, depth: number): void {
  if (field.fieldKind === "map") {
    writer.tag(field.number, WireType.LengthDelimited).fork();
    for (let part = random(4); part > 0; part--) {
      if (random(2) === 0) writeScalar(writer, 1, field.mapKey, random);
      else writeValue(writer, 2, field, random, depth);
    }
    writer.join();
    return;
  }
  if (field.fieldKind === "list" && field.listKind !== "message" && random(2) === 0) {
    const type = field.listKind === "enum" ? ScalarType.INT32 : field.scalar;
    if (type !== ScalarType.STRING && type !== ScalarType.BYTES) {
      writer.tag(field.number, WireType.LengthDelimited).fork();
      for (let item = random(6); item > 0; item--) writeBare(writer, type, random);
      writer.join();
      return;
    }
  }
  writeValue(writer, field.number, field, random, depth);
}

function writeValue(writer: BinaryWriter, number: number, field: DescField, random: Random, depth: number): void {
  if (field.message === undefined) {
    if (field.enum === undefined) writeScalar(writer, number, field.scalar as ScalarType, random);
    else writer.tag(number, WireType.Varint).int32(pick([0, -1, 70_000, 0, -1, 70_000, 0, 5], random));
    return;
  }
  const isDelimited = "delimitedEncoding" in field && field.delimitedEncoding;
  writer.tag(number, isDelimited ? WireType.StartGroup : WireType.LengthDelimited);
  if (!isDelimited) writer.fork();
  if (depth > 0) writeFields(writer, field.message, random, depth - 1);
  if (isDelimited) writer.tag(number, WireType.EndGroup);
  else writer.join();
}

function writeScalar(writer: BinaryWriter, number: number, type: ScalarType, random: Random): void {
  writer.tag(number, wireTypeOf(type));
  writeBare(writer, type, random);
}

const texts = [
  "",
  "a",
  "__proto__",
  "grüße",
  "☺",
  "exactly twenty-four chars",
  "twenty-four characters!!",
  "x".repeat(200),
];
const longs = [0n, 1n, 127n, 128n, 300n, 2n ** 31n, 2n ** 32n, 2n ** 35n - 1n, 2n ** 62n, 2n ** 63n - 1n];
const numbers = [0, 1, 127, 128, 16_383, 16_384, 2_097_152, 268_435_456, 2 ** 31 - 1];
const floats = [0, -0, 1.5, Number.NaN, Number.POSITIVE_INFINITY, -1e30];

function pick<T>(values: readonly T[], random: Random): T {
  return values[random(values.length)] as T;
}

function writeBare(writer: BinaryWriter, type: ScalarType, random: Random): void {
  const sign = random(2) === 0 ? 1 : -1;
  switch (type) {
    case ScalarType.STRING:
      // Now and then bytes that are not UTF-8.
      if (random(40) === 0) writer.bytes(Uint8Array.of(0x61, 0xff, 0xc3));
      else writer.string(pick(texts, random));
      break;
    case ScalarType.BYTES:
      writer.bytes(new Uint8Array(random(70)).fill(random(256)));
      break;
    case ScalarType.BOOL:
      if (random(4) === 0) writer.uint64(pick(longs, random));
      else writer.bool(random(2) === 0);
      break;
    case ScalarType.DOUBLE:
      writer.double(pick(floats, random));
      break;
    case ScalarType.FLOAT:
      writer.float(pick(floats, random));
      break;
    case ScalarType.INT32:
      // A sender may have made the field 64 bits wide since.
      if (random(6) === 0) writer.int64(pick(longs, random));
      else writer.int32(sign * pick(numbers, random));
      break;
    case ScalarType.SINT32:
      writer.sint32(sign * pick(numbers, random));
      break;
    case ScalarType.SFIXED32:
      writer.sfixed32(sign * pick(numbers, random));
      break;
    case ScalarType.UINT32:
      writer.uint32(pick(numbers, random) * 2);
      break;
    case ScalarType.FIXED32:
      writer.fixed32(pick(numbers, random) * 2);
      break;
    case ScalarType.INT64:
      writer.int64(BigInt(sign) * pick(longs, random));
      break;
    case ScalarType.SINT64:
      writer.sint64(BigInt(sign) * pick(longs, random));
      break;
    case ScalarType.SFIXED64:
      writer.sfixed64(BigInt(sign) * pick(longs, random));
      break;
    case ScalarType.UINT64:
      writer.uint64(pick(longs, random) * 2n);
      break;
    case ScalarType.FIXED64:
      writer.fixed64(pick(longs, random) * 2n);
      break;
  }
}
