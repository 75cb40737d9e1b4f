import assert from "node:assert/strict";
import { describe, test } from "node:test";
import {
  array,
  description,
  looseObject,
  metadata,
  number,
  object,
  optional,
  pipe,
  record,
  strictObject,
  string,
  transform,
  union,
} from "valibot";
import { text } from "../values/basic-values.ts";
import { shapeAtStep, shapeOf } from "./schema-shape.ts";

describe("shapeOf", () => {
  test("finds keys, defaults and what is said about them, through pipes and transformations", () => {
    const schema = pipe(
      strictObject({
        key: pipe(string(), metadata({ expects: "a key", secret: true, reload: true }), description("What opens it.")),
        block: optional(
          pipe(
            strictObject({ a: optional(string(), "x") }),
            transform(({ a }) => a),
          ),
          {},
        ),
      }),
      transform((value) => value),
    );
    const shape = shapeOf(schema);
    assert.deepEqual([...shape.entries.keys()], ["key", "block"]);
    assert.deepEqual(shape.entries.get("key"), {
      kind: "scalar",
      entries: new Map(),
      isRequired: true,
      isLive: true,
      expects: "a key",
      secret: true,
      description: "What opens it.",
    });
    const block = shape.entries.get("block");
    assert.equal(block?.isRequired, false);
    assert.equal(block?.entries.get("a")?.defaultValue, "x");
  });

  test("finds what lists and records hold", () => {
    const shape = shapeOf(object({ list: array(strictObject({ a: string() })), map: record(string(), text()) }));
    assert.deepEqual([...(shapeAtStep(shape.entries.get("list"), 0)?.entries.keys() ?? [])], ["a"]);
    assert.equal(shapeAtStep(shape.entries.get("map"), "anything")?.expects, "text");
  });

  test("knows nothing of schemas of other libraries, and of unions that do not say what they expect", () => {
    assert.equal(shapeOf({ "~standard": {} }).kind, "open");
    assert.equal(shapeOf(union([object({ a: string() }), number()])).kind, "open");
  });

  test("takes any other key of a loose object, and none of a strict one", () => {
    assert.equal(shapeAtStep(shapeOf(looseObject({})), "x")?.kind, "open");
    assert.equal(shapeAtStep(shapeOf(strictObject({})), "x"), undefined);
  });

  test("is the same object for the same schema", () => {
    const schema = strictObject({});
    assert.equal(shapeOf(schema), shapeOf(schema));
  });
});
