import assert from "node:assert/strict";
import { test } from "node:test";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import type { Message } from "@bufbuild/protobuf";
import { FieldDescriptorProtoSchema, StringValueSchema } from "@bufbuild/protobuf/wkt";
import { Code, ConnectError } from "@connectrpc/connect";
import { mayGenerateCode } from "../compiled/code-generation.ts";
import { createProtobufCodec } from "../protobuf.ts";
import { costlyMessages, costlySchema, delimited } from "../testing/costly-messages.ts";
import { costOfMessage, memoryCosts } from "./memory-costs.ts";

setFlagsFromString("--expose-gc");
const collectGarbage = runInNewContext("gc") as () => void;

const keeping = createProtobufCodec();
const dropping = createProtobufCodec({ keepUnknownFields: false });
const kibibyte = 1024;
const mebibyte = 1024 * kibibyte;

/** An empty message in field 1 with another wire type, which protobuf-es ignores, and which generated code leaves to it. */
const forFallback = Buffer.of(0x0d, 0);

function isTooLarge(thrown: unknown): boolean {
  return thrown instanceof ConnectError && thrown.code === Code.ResourceExhausted && /maxDecoded/.test(thrown.message);
}

function usedMemory(): number {
  collectGarbage();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

/** Memory that the message takes for each byte of it, or `undefined` where it is refused. */
function memoryPerByte(codec: typeof keeping, bytes: Uint8Array): number | undefined {
  const before = usedMemory();
  let message: Message | undefined;
  try {
    message = codec.decode(costlySchema, bytes);
  } catch (error) {
    assert.ok(isTooLarge(error), String(error));
    return undefined;
  }
  // Reading it makes objects of unknown fields.
  void message.$unknown;
  const perByte = (usedMemory() - before) / bytes.length;
  assert.ok(message);
  return perByte;
}

for (const [name, make] of Object.entries(costlyMessages)) {
  for (const way of mayGenerateCode() ? ["generated code", "protobuf-es"] : ["protobuf-es"]) {
    test(`takes at most about 16 times the bytes of a message or refuses it: ${name}, by ${way}`, () => {
      const message = make(128 * kibibyte);
      const bytes = way === "protobuf-es" ? Buffer.concat([forFallback, message]) : message;
      for (const keepUnknownFields of name.startsWith("unknown") ? [true, false] : [true]) {
        const codec = createProtobufCodec({ keepUnknownFields, maxDecodedMessageBytes: 16 * bytes.length });
        const perByte = memoryPerByte(codec, bytes);
        assert.ok(perByte === undefined || perByte < 18, `${perByte} bytes of memory for each byte`);
      }
    });
  }
}

test("takes lists of 100,000 numbers, 100,000 short texts and 50,000 small messages, and maps of 100,000 entries", () => {
  const small = Buffer.concat([Buffer.of(8, 5), delimited(2, Buffer.from("name"))]);
  const honest = {
    ints: delimited(6, Buffer.alloc(100_000, 5)),
    strings: Buffer.concat(new Array(100_000).fill(delimited(4, Buffer.from("text")))),
    small: Buffer.concat(new Array(50_000).fill(delimited(1, small))),
    "empty small": Buffer.concat(new Array(100_000).fill(Buffer.of(0x0a, 0))),
    byText: Buffer.concat(
      Array.from({ length: 100_000 }, (_, n) =>
        delimited(8, Buffer.concat([delimited(1, Buffer.from(`key-${n}`)), Buffer.of(0x10, 1)])),
      ),
    ),
  };
  for (const [name, bytes] of Object.entries(honest)) {
    for (const input of [bytes, Buffer.concat([forFallback, bytes])]) {
      assert.ok(dropping.decode(costlySchema, input), name);
      assert.ok(keeping.decode(costlySchema, input), name);
    }
  }
});

test("decides by the same price for generated code and protobuf-es, at both edges of the limit", () => {
  // What takes more than 256 KiB is counted first.
  for (const count of [4000, 8000]) checkEdges(count);
});

function checkEdges(count: number): void {
  const small = costOfMessage(costlySchema).fields.get(1)?.bytes as number;
  // Field 127 with three fields in it, of which one is in another group.
  const group = Buffer.of(0xfb, 0x07, 0x08, 0, 0x13, 0x08, 0, 0x14, 0xfc, 0x07);
  const cases: [string, number, Buffer][] = [
    ["messages", small, Buffer.alloc(2 * count, Uint8Array.of(0x0a, 0))],
    ["bytes", memoryCosts.view, Buffer.alloc(2 * count, Uint8Array.of(0x1a, 0))],
    ["map entries", memoryCosts.mapEntry, Buffer.alloc(2 * count, Uint8Array.of(0x42, 0))],
    ["unknown fields", memoryCosts.unknownField, Buffer.alloc(3 * count, Uint8Array.of(0xf8, 0x07, 0))],
    [
      "unknown groups",
      memoryCosts.unknownField + 3 * memoryCosts.droppedField,
      Buffer.concat(new Array(count).fill(group)),
    ],
  ];
  for (const [name, each, items] of cases) {
    for (const [bytes, besides] of [
      [items, 0],
      [Buffer.concat([forFallback, items]), small],
    ] as const) {
      const price = each * count + besides;
      const atTheLimit = createProtobufCodec({ maxDecodedMessageBytes: price });
      assert.ok(atTheLimit.decode(costlySchema, bytes), name);
      const oneLess = createProtobufCodec({ maxDecodedMessageBytes: price - 1 });
      assert.throws(() => oneLess.decode(costlySchema, bytes), isTooLarge, name);
    }
  }
}

test("counts numbers that a closed enum does not have as unknown fields", () => {
  // FieldDescriptorProto.label: 1 is LABEL_OPTIONAL, there is no 99.
  const known = Buffer.alloc(8000, Uint8Array.of(0x20, 1));
  const unknown = Buffer.alloc(8000, Uint8Array.of(0x20, 99));
  const strict = createProtobufCodec({ maxDecodedMessageBytes: 4000 * memoryCosts.unknownNumber });
  assert.ok(strict.decode(FieldDescriptorProtoSchema, known));
  assert.ok(strict.decode(FieldDescriptorProtoSchema, unknown));
  const oneMore = Buffer.concat([unknown, unknown.subarray(0, 2)]);
  assert.throws(() => strict.decode(FieldDescriptorProtoSchema, oneMore), isTooLarge);
});

test("always allows 16 times the bytes read so far", () => {
  const strict = createProtobufCodec({ maxDecodedMessageBytes: 100 });
  const small = Buffer.concat([Buffer.of(8, 5), delimited(2, Buffer.from("a name"))]);
  const bytes = Buffer.concat(new Array(1000).fill(delimited(1, small)));
  assert.ok(strict.decode(costlySchema, bytes));
  assert.throws(() => strict.decode(costlySchema, Buffer.alloc(8000, Uint8Array.of(0x0a, 0))), isTooLarge);
});

test("drops 262,144 tiny unknown fields, or one for every four bytes, and refuses more at once", () => {
  const count = (16 * mebibyte) / memoryCosts.droppedField;
  const tiny = (length: number) => Buffer.alloc(2 * length, Uint8Array.of(0x78, 0));
  assert.ok(dropping.decode(StringValueSchema, tiny(count)));
  assert.throws(() => dropping.decode(StringValueSchema, tiny(count + 1)), isTooLarge);
  assert.throws(() => dropping.decode(StringValueSchema, tiny(2 * mebibyte)), isTooLarge);
  const ofFourBytes = Buffer.alloc(4 * mebibyte, Uint8Array.of(0x7a, 2, 0x61, 0x62));
  assert.deepEqual(dropping.decode(StringValueSchema, ofFourBytes), {
    $typeName: "google.protobuf.StringValue",
    value: "",
  });
});
