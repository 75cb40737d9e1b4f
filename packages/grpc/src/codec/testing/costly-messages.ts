import { create, createFileRegistry, type DescMessage } from "@bufbuild/protobuf";
import {
  FieldDescriptorProtoSchema,
  FileDescriptorSetSchema,
  file_google_protobuf_any,
  file_google_protobuf_struct,
  FieldOptions_JSType as JsType,
  FieldDescriptorProto_Label as Label,
  FieldDescriptorProto_Type as Type,
} from "@bufbuild/protobuf/wkt";

interface FieldOptions {
  readonly repeated?: boolean;
  readonly type?: string;
  readonly oneof?: boolean;
  readonly asString?: boolean;
}

function field(name: string, number: number, type: Type, options: FieldOptions = {}) {
  const { repeated = false, type: typeName, oneof = false, asString = false } = options;
  return create(FieldDescriptorProtoSchema, {
    name,
    number,
    type: typeName === undefined ? type : Type.MESSAGE,
    label: repeated ? Label.REPEATED : Label.OPTIONAL,
    ...(typeName === undefined ? {} : { typeName }),
    ...(oneof ? { oneofIndex: 0 } : {}),
    ...(asString ? { options: { jstype: JsType.JS_STRING } } : {}),
  });
}

function mapEntry(name: string, keyType: Type, value: FieldOptions = {}) {
  return { name, options: { mapEntry: true }, field: [field("key", 1, keyType), field("value", 2, Type.INT32, value)] };
}

const many = { repeated: true };

/** A type with a field for each way in which few bytes may become many objects. */
export const costlySchema: DescMessage = createFileRegistry(
  create(FileDescriptorSetSchema, {
    file: [
      file_google_protobuf_struct.proto,
      file_google_protobuf_any.proto,
      {
        name: "costly.proto",
        package: "costly",
        syntax: "proto3",
        dependency: ["google/protobuf/struct.proto", "google/protobuf/any.proto"],
        messageType: [
          { name: "Small", field: [field("id", 1, Type.INT32), field("name", 2, Type.STRING)] },
          { name: "Wide", field: Array.from({ length: 15 }, (_, n) => field(`f${n}`, n + 1, Type.INT32, many)) },
          { name: "Tree", field: [1, 2, 3].map((n) => field(`t${n}`, n, Type.MESSAGE, { type: ".costly.Tree" })) },
          {
            name: "Labelled",
            field: [field("labels", 1, Type.MESSAGE, { ...many, type: ".costly.Labelled.LabelsEntry" })],
            nestedType: [mapEntry("LabelsEntry", Type.STRING)],
          },
          {
            name: "Choice",
            oneofDecl: [{ name: "kind" }],
            field: [
              field("number", 1, Type.INT32, { oneof: true }),
              field("small", 2, Type.MESSAGE, { oneof: true, type: ".costly.Small" }),
            ],
          },
          {
            name: "Costly",
            field: [
              field("small", 1, Type.MESSAGE, { ...many, type: ".costly.Small" }),
              field("wide", 2, Type.MESSAGE, { ...many, type: ".costly.Wide" }),
              field("bytes", 3, Type.BYTES, many),
              field("strings", 4, Type.STRING, many),
              field("longs", 5, Type.INT64, many),
              field("ints", 6, Type.INT32, many),
              field("long_strings", 7, Type.INT64, { ...many, asString: true }),
              field("by_text", 8, Type.MESSAGE, { ...many, type: ".costly.Costly.ByTextEntry" }),
              field("by_number", 9, Type.MESSAGE, { ...many, type: ".costly.Costly.ByNumberEntry" }),
              field("small_by_text", 10, Type.MESSAGE, { ...many, type: ".costly.Costly.SmallByTextEntry" }),
              field("labelled", 11, Type.MESSAGE, { ...many, type: ".costly.Labelled" }),
              field("list", 12, Type.MESSAGE, { type: ".google.protobuf.ListValue" }),
              field("struct", 13, Type.MESSAGE, { type: ".google.protobuf.Struct" }),
              field("any", 14, Type.MESSAGE, { ...many, type: ".google.protobuf.Any" }),
              field("tree", 15, Type.MESSAGE, { type: ".costly.Tree" }),
              field("choice", 16, Type.MESSAGE, { ...many, type: ".costly.Choice" }),
              field("one", 17, Type.MESSAGE, { type: ".costly.Small" }),
              field("signed_longs", 19, Type.SINT64, many),
              field("structs", 18, Type.MESSAGE, { ...many, type: ".google.protobuf.Struct" }),
            ],
            nestedType: [
              mapEntry("ByTextEntry", Type.STRING),
              mapEntry("ByNumberEntry", Type.UINT32),
              mapEntry("SmallByTextEntry", Type.STRING, { type: ".costly.Small" }),
            ],
          },
        ],
      },
    ],
  }),
).getMessage("costly.Costly") as DescMessage;

function varint(value: number): Buffer {
  const bytes: number[] = [];
  let rest = value;
  for (; rest > 127; rest = Math.floor(rest / 128)) bytes.push((rest & 127) | 128);
  return Buffer.from([...bytes, rest]);
}

/** A field with a length before its value. */
export function delimited(number: number, value: Uint8Array): Buffer {
  return Buffer.concat([varint(number * 8 + 2), varint(value.length), value]);
}

function repeat(bytes: number, ...item: readonly number[]): Buffer {
  return Buffer.alloc(bytes, Uint8Array.from(item)).subarray(0, bytes - (bytes % item.length));
}

/** So many bytes of items, each made of its number. */
function series(bytes: number, make: (n: number) => Buffer): Buffer {
  const items: Buffer[] = [];
  for (let length = 0, n = 0; length < bytes; n++) {
    const item = make(n);
    items.push(item);
    length += item.length;
  }
  return Buffer.concat(items);
}

/** Four letters, others for each number. */
function word(n: number): Buffer {
  return Buffer.from([0, 1, 2, 3].map((digit) => 97 + (Math.floor(n / 26 ** digit) % 26)));
}

function tree(bytes: number): Buffer {
  let node = Buffer.alloc(0);
  while (node.length * 3 < bytes) node = Buffer.concat([1, 2, 3].map((number) => delimited(number, node)));
  return delimited(15, node);
}

/** By what they are made of: messages of about so many bytes that take as much memory as such messages can. */
export const costlyMessages: Readonly<Record<string, (bytes: number) => Buffer>> = {
  "unknown fields": (bytes) => repeat(bytes, 0xf8, 0x07, 0),
  "unknown groups": (bytes) => repeat(bytes, 0xfb, 0x07, 0xfc, 0x07),
  "unknown fields of empty messages": (bytes) => repeat(bytes, 0x0a, 2, 0x78, 0),
  "empty messages": (bytes) => repeat(bytes, 0x0a, 0),
  "messages with a map of one entry": (bytes) =>
    series(bytes, (n) => delimited(11, delimited(1, delimited(1, word(n))))),
  "empty messages of many fields": (bytes) => repeat(bytes, 0x12, 0),
  "empty bytes": (bytes) => repeat(bytes, 0x1a, 0),
  "empty text": (bytes) => repeat(bytes, 0x22, 0),
  "text of two letters": (bytes) => series(bytes, (n) => delimited(4, word(n).subarray(0, 2))),
  "packed int64 of one byte": (bytes) => delimited(5, repeat(bytes, 5)),
  "packed int64 of two bytes": (bytes) => delimited(5, repeat(bytes, 0x85, 2)),
  "packed sint64 of one byte": (bytes) => delimited(19, repeat(bytes, 5)),
  "packed int32": (bytes) => delimited(6, repeat(bytes, 5)),
  "packed int64 as strings": (bytes) => delimited(7, repeat(bytes, 85)),
  "map entries by text": (bytes) => series(bytes, (n) => delimited(8, delimited(1, word(n)))),
  "map entries by number": (bytes) =>
    series(bytes, (n) => delimited(9, Buffer.concat([Buffer.of(8), varint(n * 1000)]))),
  "map entries with empty messages": (bytes) => series(bytes, (n) => delimited(10, delimited(1, word(n)))),
  "values of a ListValue": (bytes) => delimited(12, repeat(bytes, 0x0a, 0)),
  "booleans of a ListValue": (bytes) => delimited(12, repeat(bytes, 0x0a, 2, 0x20, 1)),
  "lists of a ListValue": (bytes) => delimited(12, repeat(bytes, 0x0a, 2, 0x32, 0)),
  "objects of a ListValue": (bytes) => delimited(12, repeat(bytes, 0x0a, 2, 0x2a, 0)),
  "fields of a Struct": (bytes) =>
    delimited(
      13,
      series(bytes, (n) => delimited(1, delimited(1, word(n)))),
    ),
  "empty Structs": (bytes) => repeat(bytes, 0x92, 1, 0),
  "empty Any": (bytes) => repeat(bytes, 0x72, 0),
  "Any of a byte": (bytes) => repeat(bytes, 0x72, 3, 0x12, 1, 0),
  "a tree of messages": tree,
  "messages with a oneof": (bytes) => repeat(bytes, 0x82, 1, 2, 0x08, 1),
  "messages with a message in a oneof": (bytes) => repeat(bytes, 0x82, 1, 2, 0x12, 0),
  "oneofs that change": (bytes) => delimited(16, repeat(bytes, 0x08, 1, 0x12, 0)),
  "a message in many parts": (bytes) => repeat(bytes, 0x8a, 1, 0),
  "a Struct in many parts": (bytes) => repeat(bytes, 0x6a, 0),
};
