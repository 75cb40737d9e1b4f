// Own process: the types whose generated code fails here stay with protobuf-es in the whole process.
import assert from "node:assert/strict";
import { test } from "node:test";
import { create, toBinary } from "@bufbuild/protobuf";
import { DurationSchema, Int64ValueSchema, ListValueSchema, StringValueSchema } from "@bufbuild/protobuf/wkt";
import { createProtobufCodec } from "../protobuf.ts";
import { WireReader } from "../wire/wire-reader.ts";
import { WireWriter } from "../wire/wire-writer.ts";
import { mayGenerateCode } from "./code-generation.ts";
import type { CodecFault } from "./compiled.ts";

const options = { skip: mayGenerateCode() ? false : "code may not be generated from strings" };

function codecWithFaults() {
  const faults: CodecFault[] = [];
  return { faults, codec: createProtobufCodec({ onFault: (fault) => faults.push(fault) }) };
}

test("reports a bug in a generated reader once and lets protobuf-es read from then on", options, (t) => {
  const { faults, codec } = codecWithFaults();
  const bug = new TypeError("a bug");
  t.mock.method(WireReader.prototype, "int64", () => {
    throw bug;
  });
  const message = create(Int64ValueSchema, { value: 300n });
  const bytes = toBinary(Int64ValueSchema, message);
  for (let again = 0; again < 3; again++) assert.deepEqual(codec.decode(Int64ValueSchema, bytes), message);
  assert.deepEqual(faults, [{ action: "decode", typeName: "google.protobuf.Int64Value", error: bug }]);
});

test("reports a bug in a generated writer once and lets protobuf-es write from then on", options, (t) => {
  const { faults, codec } = codecWithFaults();
  const bug = new TypeError("a bug");
  const writer = WireWriter.prototype as unknown as Record<string, () => never>;
  for (const name of Object.getOwnPropertyNames(writer)) {
    if (name === "constructor" || name === "abandon") continue;
    if (typeof Object.getOwnPropertyDescriptor(writer, name)?.value !== "function") continue;
    t.mock.method(writer, name, () => {
      throw bug;
    });
  }
  const message = create(DurationSchema, { seconds: 300n, nanos: 7 });
  for (let again = 0; again < 3; again++) {
    assert.deepEqual(codec.encode(DurationSchema, message), toBinary(DurationSchema, message));
  }
  const { $typeName: _, ...init } = message;
  for (let again = 0; again < 3; again++) {
    assert.deepEqual(codec.encode(DurationSchema, init as never), toBinary(DurationSchema, message));
  }
  const fault = { action: "encode", typeName: "google.protobuf.Duration", error: bug };
  assert.deepEqual(faults, [fault, fault], "one for messages, one for plain objects");
});

test("reports a program that cannot be made, and lets protobuf-es read", options, (t) => {
  const { faults, codec } = codecWithFaults();
  const bug = new SyntaxError("a bug");
  // Called with `new`, so not an arrow function.
  t.mock.method(globalThis, "Function", function fail() {
    throw bug;
  });
  assert.deepEqual(codec.decode(ListValueSchema, new Uint8Array(0)), create(ListValueSchema));
  assert.deepEqual(faults, [{ action: "decode", typeName: "google.protobuf.ListValue", error: bug }]);
});

test("reports nothing for input and values that only protobuf-es takes or refuses", () => {
  const { faults, codec } = codecWithFaults();
  for (const bytes of [Uint8Array.of(0x0a), Uint8Array.of(0x0a, 1, 0xff), Uint8Array.of(0x78, 0, 0x0d, 0)]) {
    try {
      codec.decode(StringValueSchema, bytes);
    } catch {}
  }
  const values = [null, undefined, 5, {}, "\ud800", Symbol("s"), new Proxy({}, {})];
  for (const value of values) {
    for (const schema of [StringValueSchema, DurationSchema]) {
      const wrong = { $typeName: schema.typeName, value, seconds: value, nanos: value } as never;
      try {
        codec.encode(schema, wrong);
      } catch {}
    }
  }
  try {
    codec.encode(StringValueSchema, null as never);
  } catch {}
  assert.deepEqual(faults, []);
});

test("warns of a fault by default", options, (t) => {
  const warn = t.mock.method(process, "emitWarning", () => {});
  t.mock.method(WireReader.prototype, "text", () => {
    throw new TypeError("a bug");
  });
  const message = create(StringValueSchema, { value: "longer than what is read byte by byte" });
  assert.deepEqual(createProtobufCodec().decode(StringValueSchema, toBinary(StringValueSchema, message)), message);
  assert.match(String(warn.mock.calls[0]?.arguments[0]), /decode google\.protobuf\.StringValue.*a bug/s);
});
