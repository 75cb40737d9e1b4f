import assert from "node:assert/strict";
import { test } from "node:test";
import { create, createRegistry, type DescMessage, fromBinary, type Message, toJsonString } from "@bufbuild/protobuf";
import { anyPack, FieldSchema, StructSchema, TimestampSchema, TypeSchema, ValueSchema } from "@bufbuild/protobuf/wkt";
import { ErrorInfoSchema, QuotaFailureSchema } from "../../gen/google/rpc/error_details_pb.ts";
import { StatusSchema } from "../../gen/google/rpc/status_pb.ts";
import { HealthCheckResponseSchema, HealthListResponseSchema } from "../../gen/grpc/health/v1/health_pb.ts";
import { randomBytes } from "../testing/random-bytes.ts";
import { createRandom, randomSchema } from "../testing/random-schema.ts";
import { mayGenerateCode } from "./code-generation.ts";
import { isPlainJson } from "./json-source.ts";
import { JsonWriters } from "./json-writer.ts";

const options = { skip: mayGenerateCode() ? false : "code may not be generated from strings" };
const writers = new JsonWriters(undefined);

function read(schema: DescMessage, bytes: Uint8Array): Message | undefined {
  try {
    return fromBinary(schema, bytes, { readUnknownFields: false });
  } catch {
    return undefined;
  }
}

/** As protobuf-es writes it; undefined where it refuses to. */
function expected(schema: DescMessage, message: Message): string | undefined {
  try {
    return toJsonString(schema, message);
  } catch {
    return undefined;
  }
}

test("JSON of random messages is what protobuf-es writes", options, () => {
  let written = 0;
  for (let seed = 1; seed <= 400; seed++) {
    const random = createRandom(seed);
    const schema = randomSchema(random);
    for (let n = 0; n < 20; n++) {
      const message = read(schema, randomBytes(schema, random));
      if (message === undefined) continue;
      const json = writers.write(schema, message);
      if (json === undefined) continue;
      if (isPlainJson(schema)) written++;
      assert.equal(json, expected(schema, message), `seed ${seed}`);
    }
  }
  assert.ok(written > 1000, `${written} were written`);
});

test("strings are escaped as JSON.stringify escapes them", options, () => {
  for (const domain of [
    '"',
    "\\",
    "\n",
    "\u0000",
    "\u001f",
    "\u007f",
    "\u2028",
    "ü",
    "\u{1f600}",
    "\ud800",
    "a\udc00b",
  ]) {
    const message = create(ErrorInfoSchema, { domain, metadata: { [domain]: domain, 2: "b", 1: "a" } });
    assert.equal(writers.write(ErrorInfoSchema, message), toJsonString(ErrorInfoSchema, message));
  }
});

test("numbers, enums and lists are what protobuf-es writes", options, () => {
  for (const init of [
    {},
    { violations: [] },
    { violations: [{}, { subject: "a" }, { quotaValue: 9_007_199_254_740_993n, futureQuotaValue: -1n }] },
    { violations: [{ futureQuotaValue: 0n, quotaDimensions: { a: "b" } }] },
  ]) {
    const message = create(QuotaFailureSchema, init);
    assert.equal(writers.write(QuotaFailureSchema, message), toJsonString(QuotaFailureSchema, message));
  }
  for (const status of [0, 1, 77, -5]) {
    const message = create(HealthListResponseSchema, { statuses: { a: { status: status as 0 | 1 } } });
    assert.equal(writers.write(HealthListResponseSchema, message), toJsonString(HealthListResponseSchema, message));
  }
});

test("well-known types are written by protobuf-es, alone and within others", options, () => {
  const registry = createRegistry(TimestampSchema);
  const withTypes = new JsonWriters(registry);
  const status = create(StatusSchema, {
    code: 5,
    details: [anyPack(TimestampSchema, create(TimestampSchema, { seconds: 1n }))],
  });
  assert.equal(withTypes.write(StatusSchema, status), toJsonString(StatusSchema, status, { registry }));
  assert.equal(writers.write(StatusSchema, status), undefined, "the type of the detail is not known");
  for (const [schema, message] of [
    [TypeSchema, create(TypeSchema, { name: "a", fields: [create(FieldSchema, { number: 5 })] })],
    [
      StructSchema,
      create(StructSchema, { fields: { a: create(ValueSchema, { kind: { case: "nullValue", value: 0 } }) } }),
    ],
  ] as const) {
    assert.equal(writers.write(schema, message), toJsonString(schema as DescMessage, message));
  }
});

test("what does not fit is left to protobuf-es, which says what is wrong", options, () => {
  const wrong = [
    { status: "SERVING" },
    { status: Number.NaN },
    { status: undefined, $typeName: "grpc.health.v1.HealthCheckRequest" },
    { $unknown: [{ no: 9, wireType: 0, data: new Uint8Array([1]) }] },
  ];
  for (const fields of wrong) {
    const message = { ...create(HealthCheckResponseSchema), ...fields } as Message;
    assert.equal(writers.write(HealthCheckResponseSchema, message), undefined);
  }
  const info = { ...create(ErrorInfoSchema), reason: 7 } as Message;
  assert.equal(writers.write(ErrorInfoSchema, info), undefined);
});
