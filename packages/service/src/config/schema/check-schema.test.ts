import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { array, check, metadata, number, object, pipe, strictObject, string } from "valibot";
import { problemText } from "../config-problem.ts";
import { readYaml } from "../document/read-yaml.ts";
import { flag, port, text } from "../values/basic-values.ts";
import { duration } from "../values/duration.ts";
import { checkSchema } from "./check-schema.ts";
import { shapeOf } from "./schema-shape.ts";
import type { StandardSchemaV1 } from "./standard-schema.ts";

async function checked<Value>(yaml: string, schema: StandardSchemaV1<unknown, Value>) {
  const { root } = readYaml(yaml, "c.yaml");
  const result = await checkSchema(root ?? assert.fail("not valid YAML"), schema, shapeOf(schema));
  return "value" in result ? { value: result.value, problems: [] } : { problems: result.problems.map(problemText) };
}

describe("checkSchema", () => {
  test("gives numbers and booleans as text where the schema wants text", async () => {
    const schema = object({ version: string(), zip: text(), on: string(), port: port(), off: flag() });
    const { value } = await checked("version: 1.10\nzip: 00501\non: true\nport: 1\noff: false\n", schema);
    assert.deepEqual(value, { version: "1.10", zip: "00501", on: "true", port: 1, off: false });
  });

  test("never makes a number of what is text by its quotes", async () => {
    assert.deepEqual((await checked('port: "1"\n', object({ port: port() }))).problems, [
      'c.yaml:1:7: port is "1"; expected a number from 0 to 65535',
    ]);
  });

  test("reports every wrong value, each once, with its place", async () => {
    const schema = strictObject({
      a: port(),
      b: duration(),
      c: array(strictObject({ d: flag() })),
    });
    assert.deepEqual((await checked("a: 1.5\nb: 30\nc: [{d: yes}]\n", schema)).problems, [
      "c.yaml:1:4: a is 1.5; expected a number from 0 to 65535",
      'c.yaml:2:4: b is 30; add a unit: "30s"',
      'c.yaml:3:9: c[0].d is "yes"; expected true or false',
    ]);
  });

  test("places what is missing at the key that it belongs in", async () => {
    const schema = strictObject({ a: strictObject({ b: text(), c: string() }) });
    assert.deepEqual((await checked("a:\n  c:\n", schema)).problems, [
      "c.yaml:1:1: a.b is missing; expected text",
      "c.yaml:2:3: a.c is missing",
    ]);
  });

  test("never shows a secret, whatever the schema says of it", async () => {
    const revealing: StandardSchemaV1<unknown, never> = {
      "~standard": {
        version: 1,
        vendor: "other",
        validate: () => ({
          issues: [
            { message: "hunter2 is too short", path: [{ key: "password" }] },
            { message: "too short", path: ["token"] },
          ],
        }),
      },
    };
    assert.deepEqual((await checked("password: hunter2\ntoken: x\n", revealing)).problems, [
      "c.yaml:1:11: password is •••; invalid value",
      "c.yaml:2:8: token is •••; invalid value",
    ]);
    const own = object({
      key: pipe(
        string(),
        metadata({ expects: "long", secret: true }),
        check((value) => value.length > 99, "it is long"),
      ),
    });
    assert.deepEqual((await checked("key: hunter2\n", own)).problems, ["c.yaml:1:6: key is •••; expected long"]);
    const bare = object({ key: pipe(number(), metadata({ expects: "a key", secret: true })), token: number() });
    assert.deepEqual((await checked('key: hunter2\ntoken: "hunter2"\n', bare)).problems, [
      "c.yaml:1:6: key is •••; expected a key",
      "c.yaml:2:8: token is •••; invalid value",
    ]);
  });

  test("says what a setting expects in place of valibot's own message", async () => {
    const schema = object({ a: pipe(string(), metadata({ expects: "a name" })) });
    assert.deepEqual((await checked("a: [1]\n", schema)).problems, ["c.yaml:1:4: a is a list; expected a name"]);
  });

  test("takes schemas of other libraries, asynchronous ones too, and reads as text what they want as text", async () => {
    const other: StandardSchemaV1<unknown, { pin: string }> = {
      "~standard": {
        version: 1,
        vendor: "other",
        async validate(value) {
          const { pin } = value as { pin: unknown };
          return typeof pin === "string"
            ? { value: { pin } }
            : { issues: [{ message: "expected a string", path: ["pin"] }] };
        },
      },
    };
    assert.deepEqual(await checked("pin: 0123\n", other), { value: { pin: "0123" }, problems: [] });
    assert.deepEqual((await checked("pin: [1]\n", other)).problems, ["c.yaml:1:6: pin: expected a string"]);
  });

  test("has the messages of valibot for settings that do not say what they expect", async () => {
    assert.deepEqual((await checked("a: x\n", object({ a: number() }))).problems, [
      'c.yaml:1:4: a: Invalid type: Expected number but received "x"',
    ]);
  });

  test("cuts long values", async () => {
    const { problems } = await checked(`a: ${"x".repeat(10_000)}\n`, object({ a: port() }));
    assert.equal((problems[0] ?? "").length < 200, true);
  });
});
