import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  create,
  createFileRegistry,
  type DescMessage,
  type MessageInitShape,
  ScalarType,
  setExtension,
} from "@bufbuild/protobuf";
import { FieldDescriptorProtoSchema, FieldOptionsSchema, FileDescriptorProtoSchema } from "@bufbuild/protobuf/wkt";
import { createValidator } from "@bufbuild/protovalidate";
import { FieldRulesSchema, field, RuleSchema } from "@bufbuild/protovalidate/gen/buf/validate/validate_pb.js";
import { compileQuickCheck } from "./quick-check.ts";

type Rules = MessageInitShape<typeof FieldRulesSchema>;

/** A message with `text`, an optional `note` and `count`, with these rules. */
function ruled(rules: Readonly<Record<string, Rules>>): DescMessage {
  const fieldOf = (name: string, number: number, type: number, more = {}) => {
    const options = create(FieldOptionsSchema);
    const given = rules[name];
    if (given !== undefined) setExtension(options, field, create(FieldRulesSchema, given));
    return create(FieldDescriptorProtoSchema, { name, number, type, label: 1, options, ...more });
  };
  const file = create(FileDescriptorProtoSchema, {
    name: "sample.proto",
    syntax: "proto3",
    messageType: [
      {
        name: "Sample",
        field: [
          fieldOf("text", 1, ScalarType.STRING),
          fieldOf("note", 2, ScalarType.STRING, { proto3Optional: true, oneofIndex: 0 }),
          fieldOf("count", 3, ScalarType.UINT32),
        ],
        oneofDecl: [{ name: "_note" }],
      },
    ],
  });
  const schema = createFileRegistry(file, () => undefined).getMessage("Sample");
  assert.ok(schema);
  return schema;
}

function verdicts(schema: DescMessage, values: Readonly<Record<string, unknown>>): [quick: boolean, full: boolean] {
  const message = create(schema, values as MessageInitShape<DescMessage>);
  const check = compileQuickCheck(schema);
  assert.ok(check);
  return [check(message), createValidator().validate(schema, message).kind === "valid"];
}

describe("the quick check of a message", () => {
  const text = (value: Extract<Rules["type"], { case: "string" }>["value"]): Rules => ({
    type: { case: "string", value },
  });
  const count = (value: Extract<Rules["type"], { case: "uint32" }>["value"]): Rules => ({
    type: { case: "uint32", value },
  });

  it("agrees with the validator at both limits of lengths and numbers", () => {
    const lengths = ruled({ text: text({ minLen: 2n, maxLen: 4n }) });
    for (const [value, isFine] of [
      ["", false],
      ["a", false],
      ["ab", true],
      ["abcd", true],
      ["abcde", false],
    ] as const) {
      assert.deepEqual(verdicts(lengths, { text: value }), [isFine, isFine], value);
    }
    for (const [rules, fine, wrong] of [
      [count({ greaterThan: { case: "gt", value: 2 }, lessThan: { case: "lt", value: 5 } }), [3, 4], [2, 5]],
      [count({ greaterThan: { case: "gte", value: 2 }, lessThan: { case: "lte", value: 5 } }), [2, 5], [1, 6]],
      [count({ lessThan: { case: "lte", value: 7 } }), [0, 7], [8]],
      [count({ greaterThan: { case: "gt", value: 0 } }), [1, 4_294_967_295], [0]],
    ] as const) {
      const schema = ruled({ count: rules });
      for (const value of fine) assert.deepEqual(verdicts(schema, { count: value }), [true, true], `${value}`);
      for (const value of wrong) assert.deepEqual(verdicts(schema, { count: value }), [false, false], `${value}`);
    }
  });

  it("leaves strings with surrogate pairs to the validator if their length is uncertain", () => {
    const schema = ruled({ text: text({ minLen: 2n, maxLen: 3n }) });
    for (const value of ["😀", "😀😀", "😀a", "😀😀😀", "😀😀😀😀"]) {
      const [quick, full] = verdicts(schema, { text: value });
      assert.ok(!quick || full, value);
    }
  });

  it("leaves a value of another type to the validator", () => {
    const schema = ruled({ text: text({ maxLen: 4n }), count: count({ lessThan: { case: "lt", value: 5 } }) });
    const check = compileQuickCheck(schema);
    const wrong = create(schema);
    assert.equal(check?.(wrong), true);
    assert.equal(check?.(Object.assign(create(schema), { text: 12 })), false);
    assert.equal(check?.(Object.assign(create(schema), { count: "1" })), false);
  });

  it("does not check an unset field with presence", () => {
    const schema = ruled({ note: text({ minLen: 2n }) });
    assert.deepEqual(verdicts(schema, {}), [true, true]);
    assert.deepEqual(verdicts(schema, { note: "a" }), [false, false]);
    assert.deepEqual(verdicts(schema, { note: "ab" }), [true, true]);
  });

  it("does not exist for other rules", () => {
    const others: Rules[] = [
      text({ pattern: "^a" }),
      text({ maxLen: 4n, prefix: "a" }),
      { ...text({ maxLen: 4n }), required: true },
      { ...text({ maxLen: 4n }), cel: [create(RuleSchema, { id: "x", expression: "true" })] },
    ];
    for (const rules of others) {
      assert.equal(compileQuickCheck(ruled({ text: rules })), undefined);
    }
    assert.equal(
      compileQuickCheck(
        ruled({ count: count({ greaterThan: { case: "gt", value: 5 }, lessThan: { case: "lt", value: 2 } }) }),
      ),
      undefined,
      "a range that means what is outside",
    );
  });

  it("accepts every message without rules", () => {
    assert.equal(compileQuickCheck(ruled({}))?.(create(ruled({}))), true);
  });
});
