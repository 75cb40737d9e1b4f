import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { array, looseObject, object, optional, record, strictObject, string, unknown } from "valibot";
import { problemText } from "../config-problem.ts";
import { readYaml } from "../document/read-yaml.ts";
import { checkStructure } from "./check-structure.ts";
import { shapeOf } from "./schema-shape.ts";

function problems(yaml: string, schema: object): string[] {
  const { root } = readYaml(yaml, "c.yaml");
  return checkStructure(root ?? assert.fail("not valid YAML"), shapeOf(schema)).map(problemText);
}

describe("checkStructure", () => {
  const schema = strictObject({
    max_connections: optional(string()),
    list: optional(array(strictObject({ name: string() }))),
    map: optional(record(string(), strictObject({ a: string() }))),
    open: optional(unknown()),
  });

  test("names every unknown key with the known one that was meant, in lists and free maps too", () => {
    const yaml = "maxConnections: 1\nmax-connections: 1\nlist: [{nam: x}]\nmap: {x: {b: 1}}\n";
    assert.deepEqual(problems(yaml, schema), [
      "c.yaml:1:1: unknown key maxConnections; did you mean max_connections?",
      "c.yaml:2:1: unknown key max-connections; did you mean max_connections?",
      "c.yaml:3:9: unknown key list[0].nam; did you mean name?",
      "c.yaml:4:11: unknown key map.x.b; did you mean a?",
    ]);
  });

  test("lists the known keys where none is near", () => {
    assert.deepEqual(problems("zzzzzzzz: 1\n", schema), [
      "c.yaml:1:1: unknown key zzzzzzzz; known keys: max_connections, list, map, open",
    ]);
  });

  test("says what must be a map or a list", () => {
    assert.deepEqual(problems("list: {}\nmap: [1]\n", schema), [
      "c.yaml:1:7: list is a map; expected a list",
      "c.yaml:2:6: map is a list; expected a map of keys",
    ]);
    assert.deepEqual(problems("list: x\nmap: {x: 5}\n", schema), [
      'c.yaml:1:7: list is "x"; expected a list',
      "c.yaml:2:10: map.x is 5; expected a map of keys",
    ]);
  });

  test("looks into nothing that the schema leaves open, and takes keys without a value", () => {
    assert.deepEqual(problems("open: {a: [b]}\nlist:\n", schema), []);
    assert.deepEqual(problems("x: {y: 1}\n", looseObject({})), []);
    assert.deepEqual(problems("x: 1\n", { "~standard": {} }), []);
  });

  test("refuses the unknown keys of a schema that would only leave them out", () => {
    assert.equal(problems("x: 1\n", object({ a: string() })).length, 1);
  });
});
