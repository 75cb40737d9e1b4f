import assert from "node:assert/strict";
import { test } from "node:test";
import {
  create,
  createFileRegistry,
  type DescMessage,
  fromBinary,
  type Message,
  ScalarType,
  toBinary,
} from "@bufbuild/protobuf";
import {
  type FileDescriptorProto,
  FileDescriptorProtoSchema,
  type FileDescriptorSet,
  FileDescriptorSetSchema,
  file_google_protobuf_descriptor,
  file_google_protobuf_struct,
  file_google_protobuf_wrappers,
  FieldDescriptorProto_Label as Label,
  TimestampSchema,
  FieldDescriptorProto_Type as Type,
  TypeSchema,
} from "@bufbuild/protobuf/wkt";
import { HealthListResponseSchema } from "../../gen/grpc/health/v1/health_pb.ts";
import { randomBytes } from "../testing/random-bytes.ts";
import { createRandom, randomSchema } from "../testing/random-schema.ts";
import { oddValue, WireWriter } from "../wire/wire-writer.ts";
import { mayGenerateCode } from "./code-generation.ts";
import { compileInitWriter, compileMessageWriter } from "./message-writer.ts";

const options = { skip: mayGenerateCode() ? false : "code may not be generated from strings" };

function referenceMessage(schema: DescMessage, bytes: Uint8Array): Message | undefined {
  try {
    return fromBinary(schema, bytes);
  } catch {
    return undefined;
  }
}

function holderOf(file: FileDescriptorProto, typeName: string): DescMessage {
  const set = create(FileDescriptorSetSchema, {
    file: [
      file,
      {
        name: "holder.proto",
        package: "test",
        syntax: "proto3",
        dependency: [file.name],
        messageType: [
          {
            name: "Holder",
            field: [
              {
                name: "held",
                number: 1,
                type: Type.MESSAGE,
                typeName: `.${typeName}`,
                label: Label.OPTIONAL,
              },
            ],
          },
        ],
      },
    ],
  });
  return schemaOf(set, "test.Holder");
}

const holderOfStruct = () => holderOf(file_google_protobuf_struct.proto, "google.protobuf.Struct");

const scalarTypes = [
  Type.DOUBLE,
  Type.FLOAT,
  Type.INT64,
  Type.UINT64,
  Type.INT32,
  Type.FIXED64,
  Type.FIXED32,
  Type.BOOL,
  Type.STRING,
  Type.BYTES,
  Type.UINT32,
  Type.SFIXED32,
  Type.SFIXED64,
  Type.SINT32,
  Type.SINT64,
];

const stringKeyEntry = (name: string, value: object) => ({
  name,
  options: { mapEntry: true },
  field: [
    { name: "key", number: 1, type: Type.STRING, label: Label.OPTIONAL },
    { name: "value", number: 2, label: Label.OPTIONAL, ...value },
  ],
});

/** A type with every scalar in every position, an enum, itself, maps and a oneof; once in proto3, once in proto2. */
function everything(syntax: "proto2" | "proto3") {
  const p = syntax === "proto3" ? "test3" : "test2";
  const field = scalarTypes.flatMap((type, n) => [
    { name: `single${n}`, number: 1000 - n, type, label: Label.OPTIONAL },
    { name: `list${n}`, number: 100 + n, type, label: Label.REPEATED },
    { name: `choice${n}`, number: 200 + n, type, label: Label.OPTIONAL, oneofIndex: 0 },
    { name: `map${n}`, number: 300 + n, type: Type.MESSAGE, typeName: `.${p}.All.Map${n}Entry`, label: Label.REPEATED },
  ]);
  const nestedType = scalarTypes.map((type, n) => stringKeyEntry(`Map${n}Entry`, { type }));
  return create(FileDescriptorSetSchema, {
    file: [
      {
        name: `${p}.proto`,
        package: p,
        syntax,
        enumType: [
          {
            name: "Kind",
            value: [
              { name: "ZERO", number: 0 },
              { name: "MINUS", number: -1 },
              { name: "BIG", number: 70_000 },
            ],
          },
        ],
        messageType: [
          {
            name: "All",
            field: [
              ...field,
              { name: "kind", number: 2, type: Type.ENUM, typeName: `.${p}.Kind`, label: Label.OPTIONAL },
              { name: "kinds", number: 3, type: Type.ENUM, typeName: `.${p}.Kind`, label: Label.REPEATED },
              { name: "self", number: 4, type: Type.MESSAGE, typeName: `.${p}.All`, label: Label.OPTIONAL },
              { name: "selves", number: 5, type: Type.MESSAGE, typeName: `.${p}.All`, label: Label.REPEATED },
              {
                name: "by_name",
                number: 6,
                type: Type.MESSAGE,
                typeName: `.${p}.All.ByNameEntry`,
                label: Label.REPEATED,
              },
              {
                name: "chosen_self",
                number: 7,
                type: Type.MESSAGE,
                typeName: `.${p}.All`,
                label: Label.OPTIONAL,
                oneofIndex: 0,
              },
              {
                name: "kind_by_name",
                number: 8,
                type: Type.MESSAGE,
                typeName: `.${p}.All.KindByNameEntry`,
                label: Label.REPEATED,
              },
            ],
            oneofDecl: [{ name: "choice" }],
            nestedType: [
              ...nestedType,
              stringKeyEntry("ByNameEntry", { type: Type.MESSAGE, typeName: `.${p}.All` }),
              stringKeyEntry("KindByNameEntry", { type: Type.ENUM, typeName: `.${p}.Kind` }),
            ],
          },
        ],
      },
    ],
  });
}

function schemaOf(set: FileDescriptorSet, name: string): DescMessage {
  const schema = createFileRegistry(set).getMessage(name);
  assert.ok(schema);
  return schema;
}

const all3 = schemaOf(everything("proto3"), "test3.All");
const all2 = schemaOf(everything("proto2"), "test2.All");

function write(schema: DescMessage, message: Message): Uint8Array {
  const writeMessage = compileMessageWriter(schema);
  assert.ok(writeMessage, schema.typeName);
  const writer = new WireWriter();
  writeMessage(writer, message);
  return writer.finish();
}

function writeInit(schema: DescMessage, init: object): Uint8Array {
  const write = compileInitWriter(schema);
  assert.ok(write, schema.typeName);
  const writer = new WireWriter();
  write(writer, init);
  return writer.finish();
}

const samples: readonly (readonly unknown[])[] = [
  [0, -0, 1.5, Number.NaN, -1e300],
  [0, -0, 1.5, Number.POSITIVE_INFINITY],
  [0n, 1n, -1n, 2n ** 62n],
  [0n, 1n, 2n ** 64n - 1n],
  [0, 1, -1, 2 ** 31 - 1],
  [0n, 300n],
  [0, 300, 2 ** 32 - 1],
  [false, true],
  ["", "a", "grüße", "x".repeat(50), "☺".repeat(300)],
  [new Uint8Array(0), Uint8Array.of(1, 2, 3), new Uint8Array(500)],
  [0, 128, 2 ** 32 - 1],
  [0, -5],
  [0n, -5n],
  [0, 63, -64, -65],
  [0n, -(2n ** 63n)],
];

function randomMessage(schema: DescMessage, noise: (limit: number) => number, depth: number): Message {
  return create(schema, randomInit(schema, noise, depth));
}

/** Within it are messages, plain objects, and fields that are null or undefined. */
function randomInit(schema: DescMessage, noise: (limit: number) => number, depth: number): Record<string, unknown> {
  const init: Record<string, unknown> = {};
  const pick = (n: number) => samples[n]?.[noise(samples[n].length)];
  const kind = () => [0, -1, 70_000][noise(3)];
  const list = <T>(item: () => T) => Array.from({ length: noise(4) }, item);
  const map = <T>(item: () => T) => Object.fromEntries(list(() => [`k${noise(9)}`, item()] as const));
  const nested = () => (noise(2) === 0 ? randomMessage : randomInit)(schema, noise, depth - 1);
  for (let n = 0; n < samples.length; n++) {
    if (noise(2) === 0) init[`single${n}`] = pick(n);
    if (noise(4) === 0) init[`list${n}`] = list(() => pick(n));
    if (noise(4) === 0) init[`map${n}`] = map(() => pick(n));
    if (noise(20) === 0) init.choice = { case: `choice${n}`, value: pick(n) };
  }
  if (noise(2) === 0) init.kind = kind();
  if (noise(2) === 0) init.kinds = list(kind);
  if (noise(2) === 0) init.kindByName = map(kind);
  if (depth > 0) {
    if (noise(2) === 0) init.self = nested();
    if (noise(3) === 0) init.selves = list(nested);
    if (noise(3) === 0) init.byName = map(nested);
    if (noise(9) === 0) init.choice = { case: "chosenSelf", value: nested() };
  }
  for (const { localName } of schema.members) {
    if (init[localName] === undefined && noise(4) === 0) init[localName] = noise(2) === 0 ? null : undefined;
  }
  return init;
}

for (const [name, schema] of [
  ["proto3", all3],
  ["proto2", all2],
] as const) {
  test(`writes random ${name} messages byte for byte as protobuf-es does`, options, () => {
    const noise = createRandom(7);
    let written = 0;
    for (let round = 0; round < 300; round++) {
      const message = randomMessage(schema, noise, 2);
      const expected = toBinary(schema, message);
      assert.ok(Buffer.from(expected).equals(write(schema, message)), `round ${round}`);
      written += expected.length;
    }
    assert.ok(written > 100_000);
  });

  test(
    `writes what random ${name} messages are made from byte for byte as protobuf-es writes the messages`,
    options,
    () => {
      const noise = createRandom(11);
      let written = 0;
      for (let round = 0; round < 300; round++) {
        const init = randomInit(schema, noise, 2);
        const expected = toBinary(schema, create(schema, init));
        assert.ok(Buffer.from(expected).equals(writeInit(schema, init)), `round ${round}`);
        written += expected.length;
      }
      assert.ok(written > 100_000);
    },
  );

  test(`writes nothing for an empty ${name} message and zeros only where they have presence`, options, () => {
    assert.equal(write(schema, create(schema)).length, 0);
    const zeros = Object.fromEntries(samples.map((values, n) => [`single${n}`, values[0]]));
    const message = create(schema, zeros);
    assert.deepEqual(write(schema, message), toBinary(schema, message));
    assert.equal(write(schema, message).length === 0, name === "proto3");
  });
}

test("leaves to protobuf-es what is not the plain object that a message is made from", options, () => {
  const isOdd = (thrown: unknown) => thrown === oddValue;
  class Row {
    single8 = "x";
  }
  const inits = [
    new Row(),
    Object.create({ single8: "x" }),
    create(TimestampSchema),
    { self: 5 },
    { self: create(TimestampSchema) },
    { selves: [null] },
    { selves: new Set() },
    { list8: "x" },
    { map8: [] },
    { byName: { a: undefined } },
    { single4: "1" },
    { single9: [1, 2] },
    { choice: { case: "choice4", value: undefined } },
  ];
  for (const [nth, init] of inits.entries()) assert.throws(() => writeInit(all3, init), isOdd, `number ${nth}`);
});

test("takes fields of no known name for nothing, as protobuf-es does", options, () => {
  const init = { single8: "x", singel9: 1, choice: { case: "chioce8", value: "y" } };
  assert.deepEqual(writeInit(all3, init), toBinary(all3, create(all3, init as never)));
});

test("writes wrappers and JSON in the form in which fields have them", options, () => {
  const holdsText = holderOf(file_google_protobuf_wrappers.proto, "google.protobuf.StringValue");
  for (const [holder, held] of [
    [holderOfStruct(), { a: [1, "b", null], c: {} }],
    [holdsText, "text"],
    [holdsText, ""],
  ] as const) {
    assert.deepEqual(writeInit(holder, { held }), toBinary(holder, create(holder, { held } as never)));
  }
});

test("writes descriptors and other well-known types as protobuf-es does", options, () => {
  const file = file_google_protobuf_descriptor.proto;
  assert.deepEqual(write(FileDescriptorProtoSchema, file), toBinary(FileDescriptorProtoSchema, file));
  const time = create(TimestampSchema, { seconds: -62_135_596_800n, nanos: 999_999_999 });
  assert.deepEqual(write(TimestampSchema, time), toBinary(TimestampSchema, time));
  const health = create(HealthListResponseSchema, {
    statuses: { "": { status: 1 }, "a.B": {}, __proto__x: { status: 2 } },
  });
  assert.deepEqual(write(HealthListResponseSchema, health), toBinary(HealthListResponseSchema, health));
});

test("writes unknown fields behind the known ones", options, () => {
  const type = create(TypeSchema, { name: "n", oneofs: ["one", "two"], edition: "2023" });
  const message = fromBinary(TimestampSchema, toBinary(TypeSchema, type).subarray(3));
  assert.ok((message.$unknown?.length ?? 0) > 0);
  message.seconds = 5n;
  assert.deepEqual(write(TimestampSchema, message), toBinary(TimestampSchema, message));
});

test("leaves messages of another type, missing required fields and odd values to protobuf-es", options, () => {
  const isOdd = (thrown: unknown) => thrown === oddValue;
  assert.throws(() => write(TimestampSchema, create(TypeSchema)), isOdd);
  assert.throws(() => write(all3, Object.assign(create(all3), { self: create(TypeSchema) })), isOdd);
  assert.throws(
    () => write(TimestampSchema, { $typeName: "google.protobuf.Timestamp", seconds: 0n, nanos: 1.5 } as never),
    isOdd,
  );
  const required = createFileRegistry(
    create(FileDescriptorSetSchema, {
      file: [
        {
          name: "r.proto",
          syntax: "proto2",
          messageType: [{ name: "R", field: [{ name: "must", number: 1, type: Type.STRING, label: Label.REQUIRED }] }],
        },
      ],
    }),
  ).getMessage("R");
  assert.ok(required);
  assert.throws(() => write(required, create(required)), isOdd);
  assert.deepEqual(write(required, create(required, { must: "" })), Uint8Array.of(0x0a, 0));
});

test("writes random messages of random types byte for byte as protobuf-es does", options, () => {
  const random = createRandom(41);
  let written = 0;
  for (let type = 0; type < 150; type++) {
    const schema = randomSchema(random);
    for (let round = 0; round < 6; round++) {
      const message = referenceMessage(schema, randomBytes(schema, random));
      if (message === undefined) continue;
      const expected = toBinary(schema, message);
      assert.ok(Buffer.from(expected).equals(write(schema, message)), `type ${type} round ${round}`);
      written++;
    }
  }
  assert.ok(written > 500, `only ${written}`);
});

test("leaves out a field with presence that a message only inherits, as protobuf-es does", options, () => {
  for (const schema of [all3, all2]) {
    const message = create(schema, { self: create(schema) });
    const heir = Object.create(message) as Message;
    assert.deepEqual(write(schema, message), Uint8Array.of(0x22, 0));
    assert.deepEqual(write(schema, heir), new Uint8Array(0));
    assert.deepEqual(toBinary(schema, heir), new Uint8Array(0));
  }
});

test("writes a Struct from any JSON, and keeps a key called __proto__", options, () => {
  const json = JSON.parse('{"a":[1,"b",true,null,{"c":[]}],"__proto__":{"d":-0.5},"e":{}}');
  for (const struct of [json, {}, { odd: undefined }, []]) {
    const message = { $typeName: "test.Holder", held: struct } as Message;
    const holder = holderOfStruct();
    assert.deepEqual(write(holder, message), toBinary(holder, message));
  }
});

test("writes maps with every kind of key, and leaves keys that are none to protobuf-es", options, () => {
  const random = createRandom(1);
  let seen = 0;
  for (let type = 0; type < 200; type++) {
    const schema = randomSchema(random);
    const field = schema.fields.find(({ fieldKind }) => fieldKind === "map");
    if (field?.fieldKind !== "map" || field.mapKey === ScalarType.STRING) continue;
    const message = { ...create(schema), [field.localName]: { nonsense: 1 } } as Message;
    assert.throws(() => write(schema, message));
    seen++;
  }
  assert.ok(seen > 20);
});
