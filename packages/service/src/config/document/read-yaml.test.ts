import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { problemText } from "../config-problem.ts";
import { nodeAt, toPlain } from "./config-node.ts";
import { placeOf } from "./origin.ts";
import { readYaml } from "./read-yaml.ts";

function plainOf(text: string): unknown {
  const { root, problems } = readYaml(text, "config.yaml");
  assert.deepEqual(problems.map(problemText), []);
  return root === undefined ? undefined : toPlain(root);
}

function problemsOf(text: string): string[] {
  const { root, problems } = readYaml(text, "config.yaml");
  assert.equal(root, undefined);
  return problems.map(problemText);
}

describe("readYaml", () => {
  test("reads maps, lists and scalars of YAML 1.2, in which yes and 012 are no boolean and no octal", () => {
    const text = "a: 1\nb: [x, '2', true]\nc: {d: 0x10, e: 1.5, f: yes, g: 012}\nh: |\n  two\n  lines\n";
    assert.deepEqual(plainOf(text), {
      a: 1,
      b: ["x", "2", true],
      c: { d: 16, e: 1.5, f: "yes", g: 12 },
      h: "two\nlines\n",
    });
  });

  test("keeps the text of numbers and booleans, which may be meant as text", () => {
    const { root } = readYaml("version: 1.10\nzip: 00501\nname: true\n", "config.yaml");
    const texts = ["version", "zip", "name"].map((key) => {
      const node = nodeAt(root, [key]);
      return node?.kind === "scalar" ? node.text : undefined;
    });
    assert.deepEqual(texts, ["1.10", "00501", "true"]);
  });

  test("knows the line and column of each key and value", () => {
    const { root } = readYaml('# comment\na:\n  - b: 1\n    c: "x"\n', "dir/a.yaml");
    assert.equal(placeOf(nodeAt(root, ["a", 0, "c"])?.origin ?? assert.fail()), "dir/a.yaml:4:8");
    const item = nodeAt(root, ["a", 0]);
    const keyOrigin = item?.kind === "map" ? item.entries.get("c")?.keyOrigin : undefined;
    assert.equal(placeOf(keyOrigin ?? assert.fail()), "dir/a.yaml:4:5");
  });

  test("takes an empty file, a file of comments and one that says null as nothing", () => {
    for (const text of ["", "\n\n", "# nothing yet\n", "---\n", "null\n", "~"]) assert.equal(plainOf(text), undefined);
  });

  test("leaves out keys without a value", () => {
    assert.deepEqual(plainOf("a:\nb: ~\nc: ''\n"), { c: "" });
  });

  test("resolves aliases and merge keys; what a map says itself wins", () => {
    const text = "x: &x {a: 1, b: 2}\ny: &y {b: 3, c: 4}\nz:\n  <<: [*x, *y]\n  a: 5\nlist: [*x]\n";
    const { z, list } = plainOf(text) as { z: unknown; list: unknown };
    assert.deepEqual(z, { a: 5, b: 2, c: 4 });
    assert.deepEqual(list, [{ a: 1, b: 2 }]);
  });

  test("takes 50 aliases and refuses the 51st", () => {
    const list = (count: number): string => `a: &a 1\nb: [${Array(count).fill("*a").join(", ")}]\n`;
    assert.equal((plainOf(list(50)) as { b: unknown[] }).b.length, 50);
    assert.deepEqual(problemsOf(list(51)), ["config.yaml:2:205: more than 50 aliases"]);
  });

  test("refuses aliases that multiply, before they fill the memory", () => {
    const levels = Array.from(
      { length: 20 },
      (_, at) => `l${at + 1}: &l${at + 1} [${Array(10).fill(`*l${at}`).join(", ")}]`,
    );
    assert.match(problemsOf(["l0: &l0 [x]", ...levels].join("\n")).join("\n"), /more than 50 aliases/);
  });

  test("refuses what contains itself, and an alias without its anchor", () => {
    assert.deepEqual(problemsOf("a: &a [*a]\n"), ["config.yaml:1:8: unknown anchor &a: define it above this alias"]);
    assert.match(problemsOf("a: *b\n").join(), /^config\.yaml:1:4: /);
  });

  test("names both places of a repeated key, at any depth", () => {
    assert.deepEqual(problemsOf("a: 1\nb:\n  c: 1\n  d: 2\n  c: 3\na: 2\n"), [
      "config.yaml:5:3: duplicate key b.c, also at config.yaml:3:3; keep one of them",
      "config.yaml:6:1: duplicate key a, also at config.yaml:1:1; keep one of them",
    ]);
  });

  test("shows the broken line with a caret", () => {
    assert.deepEqual(problemsOf("service:\n  name: a: b\n"), [
      "config.yaml:2:9: not valid YAML: nested mappings are not allowed in compact mappings\n  2 |   name: a: b\n    |         ^",
    ]);
  });

  test("reports every broken place of a file", () => {
    assert.equal(problemsOf("a: [1\nb: }\n").length >= 2, true);
  });

  for (const [what, text, problem] of [
    ["a list at the top", "- a\n", /invalid configuration: expected a map of keys/],
    ["a key called __proto__", "__proto__: {a: 1}\n", /config\.yaml:1:1: reserved key __proto__/],
    ["an empty key", '"": 1\n', /config\.yaml:1:1: empty key/],
    ["a key that is a map", "? {a: 1}\n: 2\n", /not valid YAML/],
    ["a tag that it does not know", "a: !secret b\n", /not valid YAML: unresolved tag/],
    ["a second document", "a: 1\n---\nb: 2\n", /multiple documents/],
    ["tabs as indentation", "a:\n\tb: 1\n", /config\.yaml:2:1: not valid YAML/],
    ["a merge key with a scalar", "a:\n  <<: 1\n", /invalid <<: expected a map/],
  ] as const) {
    test(`refuses ${what}`, () => assert.match(problemsOf(text).join("\n"), problem));
  }

  test("takes a depth of 64 and refuses more", () => {
    const nested = (depth: number): string => `${"{a: ".repeat(depth)}1${"}".repeat(depth)}`;
    assert.notEqual(plainOf(nested(64)), undefined);
    assert.match(problemsOf(nested(65)).join(), /more than 64 levels deep/);
  });
});
