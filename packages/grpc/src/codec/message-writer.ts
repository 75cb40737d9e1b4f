import { type DescField, type DescMessage, type Message, ScalarType } from "@bufbuild/protobuf";
import { WireType } from "@bufbuild/protobuf/wire";
import { isWrapperDesc, FeatureSet_FieldPresence as Presence } from "@bufbuild/protobuf/wkt";
import { type OctetWriter, oddValue } from "./octet-writer.ts";

/** Writes messages of one type. */
export type WriteMessage = (writer: OctetWriter, message: Message) => void;

/**
 * Compiles a schema into a function that writes its messages, octet for octet as protobuf-es's `toBinary` does: fields by
 * ascending number, unknown fields last. `toBinary` makes two buffers per call; this needs none.
 *
 * Returns `undefined` for schemas with rarely used features: groups, fields of type google.protobuf.Struct or of a wrapper
 * type (protobuf-es keeps those in another form), and maps with keys other than strings. Throws `oddValue` while writing when
 * a value is not what its field promises. In both cases `toBinary` has the last word.
 */
export function compileMessageWriter(schema: DescMessage): WriteMessage | undefined {
  return isCovered(schema, new Set()) ? compile(schema, new Map()) : undefined;
}

/** A message as protobuf-es keeps it: one property for each field or oneof. */
type Fields = Record<string, unknown>;
type WriteField = (writer: OctetWriter, fields: Fields) => void;
/** Writes one value with its tag. The value is unchecked: each of OctetWriter's methods looks at what it gets. */
type WriteValue = (writer: OctetWriter, value: never) => void;

function isCovered(schema: DescMessage, visited: Set<DescMessage>): boolean {
  if (visited.has(schema)) return true;
  visited.add(schema);
  return schema.fields.every((field) => {
    if (field.fieldKind === "map" && field.mapKey !== ScalarType.STRING) return false;
    if (field.message === undefined) return true;
    if ("delimitedEncoding" in field && field.delimitedEncoding) return false;
    if (field.message.typeName === "google.protobuf.Struct" || isWrapperDesc(field.message)) return false;
    return isCovered(field.message, visited);
  });
}

function compile(schema: DescMessage, compiled: Map<DescMessage, WriteMessage>): WriteMessage {
  const known = compiled.get(schema);
  if (known !== undefined) return known;

  const typeName = schema.typeName;
  const writeFields: WriteField[] = [];
  const writeMessage: WriteMessage = (writer, message) => {
    if (message.$typeName !== typeName) throw oddValue;
    // Fields are looked up by name, as the schema demands.
    const fields = message as unknown as Fields;
    for (let at = 0; at < writeFields.length; at++) (writeFields[at] as WriteField)(writer, fields);
    if (message.$unknown !== undefined) {
      for (const { no, wireType, data } of message.$unknown) {
        writer.tag(no, wireType);
        writer.raw(data);
      }
    }
  };
  // Before its fields, so that a type which contains itself finds this function.
  compiled.set(schema, writeMessage);
  for (const field of schema.fields.toSorted((a, b) => a.number - b.number)) {
    writeFields.push(compileField(field, compiled));
  }
  return writeMessage;
}

function compileField(field: DescField, compiled: Map<DescMessage, WriteMessage>): WriteField {
  switch (field.fieldKind) {
    case "list":
      return compileList(field, compiled);
    case "map":
      return compileMap(field, compiled);
    default:
      return compileSingular(field, compiled);
  }
}

function compileSingular(
  field: DescField & { fieldKind: "scalar" | "enum" | "message" },
  compiled: Map<DescMessage, WriteMessage>,
): WriteField {
  const name = field.localName;
  const writeValue = compileValue(field.number, field, compiled);

  if (field.oneof !== undefined) {
    const oneofName = field.oneof.localName;
    return (writer, fields) => {
      const oneof = fields[oneofName] as { case: string | undefined; value: never };
      if (oneof.case === name) writeValue(writer, oneof.value);
    };
  }

  if (field.presence !== Presence.IMPLICIT) {
    const isRequired = field.presence === Presence.LEGACY_REQUIRED;
    return (writer, fields) => {
      const value = fields[name];
      // The prototype may hold the default of a field that is not set.
      if (value !== undefined && Object.hasOwn(fields, name)) writeValue(writer, value as never);
      else if (isRequired) throw oddValue;
    };
  }

  const isZero = zeroTest(field);
  return (writer, fields) => {
    const value = fields[name];
    if (!isZero(value)) writeValue(writer, value as never);
  };
}

function compileList(field: DescField & { fieldKind: "list" }, compiled: Map<DescMessage, WriteMessage>): WriteField {
  const name = field.localName;
  if (field.listKind !== "message" && field.packed) {
    const number = field.number;
    const write = scalarWriter(field.listKind === "enum" ? ScalarType.INT32 : field.scalar);
    return (writer, fields) => {
      const items = fields[name] as never[];
      if (items.length === 0) return;
      writer.tag(number, WireType.LengthDelimited);
      const fork = writer.fork();
      for (let at = 0; at < items.length; at++) write(writer, items[at] as never);
      writer.join(fork);
    };
  }
  const writeItem = compileValue(field.number, field, compiled);
  return (writer, fields) => {
    const items = fields[name] as never[];
    for (let at = 0; at < items.length; at++) writeItem(writer, items[at] as never);
  };
}

function compileMap(field: DescField & { fieldKind: "map" }, compiled: Map<DescMessage, WriteMessage>): WriteField {
  const name = field.localName;
  const number = field.number;
  // In an entry the key has number 1 and the value number 2, and both are written even if zero.
  const writeValue = compileValue(2, field, compiled);
  return (writer, fields) => {
    const entries = fields[name] as Record<string, never>;
    for (const key of Object.keys(entries)) {
      writer.tag(number, WireType.LengthDelimited);
      const fork = writer.fork();
      writer.tag(1, WireType.LengthDelimited);
      writer.string(key);
      writeValue(writer, entries[key] as never);
      writer.join(fork);
    }
  };
}

/** @param field tells the type of the value: of the field itself, of an item of the list or of a value of the map */
function compileValue(
  number: number,
  field: { message?: DescMessage | undefined; enum?: unknown; scalar?: ScalarType | undefined },
  compiled: Map<DescMessage, WriteMessage>,
): WriteValue {
  if (field.message !== undefined) {
    const writeMessage = compile(field.message, compiled);
    return (writer, message) => {
      writer.tag(number, WireType.LengthDelimited);
      const fork = writer.fork();
      writeMessage(writer, message);
      writer.join(fork);
    };
  }
  const type = field.scalar ?? ScalarType.INT32;
  const wireType = wireTypeOf(type);
  const write = scalarWriter(type);
  return (writer, value) => {
    writer.tag(number, wireType);
    write(writer, value);
  };
}

/** Whether a value of a field without presence is its zero, and therefore not written. */
function zeroTest(field: DescField & { fieldKind: "scalar" | "enum" | "message" }): (value: unknown) => boolean {
  if (field.fieldKind === "enum") {
    const zero = field.enum.values[0]?.number;
    return (value) => value === zero;
  }
  switch (field.scalar) {
    case ScalarType.BOOL:
      return (value) => value === false;
    case ScalarType.STRING:
      return (value) => value === "";
    case ScalarType.BYTES:
      return (value) => value instanceof Uint8Array && value.length === 0;
    case ScalarType.DOUBLE:
    case ScalarType.FLOAT:
      // -0 is not zero on the wire.
      return (value) => Object.is(value, 0);
    default:
      // 64-bit values may be strings, where the schema says so.
      return (value) => value === 0 || value === 0n || (typeof value === "string" && Number(value) === 0);
  }
}

function wireTypeOf(type: ScalarType): WireType {
  switch (type) {
    case ScalarType.STRING:
    case ScalarType.BYTES:
      return WireType.LengthDelimited;
    case ScalarType.DOUBLE:
    case ScalarType.FIXED64:
    case ScalarType.SFIXED64:
      return WireType.Bit64;
    case ScalarType.FLOAT:
    case ScalarType.FIXED32:
    case ScalarType.SFIXED32:
      return WireType.Bit32;
    default:
      return WireType.Varint;
  }
}

function scalarWriter(type: ScalarType): WriteValue {
  return scalarWriters[type];
}

const scalarWriters: Record<ScalarType, WriteValue> = {
  [ScalarType.DOUBLE]: (writer, value: number) => writer.double(value),
  [ScalarType.FLOAT]: (writer, value: number) => writer.float(value),
  [ScalarType.INT64]: (writer, value: bigint) => writer.int64(value),
  [ScalarType.UINT64]: (writer, value: bigint) => writer.uint64(value),
  [ScalarType.INT32]: (writer, value: number) => writer.int32(value),
  [ScalarType.FIXED64]: (writer, value: bigint) => writer.fixed64(value),
  [ScalarType.FIXED32]: (writer, value: number) => writer.fixed32(value),
  [ScalarType.BOOL]: (writer, value: boolean) => writer.bool(value),
  [ScalarType.STRING]: (writer, value: string) => writer.string(value),
  [ScalarType.BYTES]: (writer, value: Uint8Array) => writer.bytes(value),
  [ScalarType.UINT32]: (writer, value: number) => writer.uint32(value),
  [ScalarType.SFIXED32]: (writer, value: number) => writer.sfixed32(value),
  [ScalarType.SFIXED64]: (writer, value: bigint) => writer.sfixed64(value),
  [ScalarType.SINT32]: (writer, value: number) => writer.sint32(value),
  [ScalarType.SINT64]: (writer, value: bigint) => writer.sint64(value),
};
