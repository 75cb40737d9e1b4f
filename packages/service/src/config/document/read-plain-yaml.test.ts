import assert from "node:assert/strict";
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import fc from "fast-check";
import { toPlain } from "./config-node.ts";
import { readPlainYaml } from "./read-plain-yaml.ts";
import { readYaml } from "./read-yaml.ts";

const root = join(import.meta.dirname, "../../../../..");

/** Whether it is plain; fails where the parser of all of YAML reads it otherwise. */
function isPlain(text: string): boolean {
  const plain = readPlainYaml(text, "c.yaml");
  if (plain === undefined) return false;
  const { root, problems } = readYaml(text, "c.yaml");
  assert.deepEqual(problems, [], text);
  assert.deepEqual(plain, root, text);
  // Maps are equal whatever the order of their keys.
  assert.equal(JSON.stringify(toPlain(plain)), JSON.stringify(root && toPlain(root)), text);
  return true;
}

const valid = fc.constantFrom(
  ...[
    "a: 1",
    "b: text of words",
    "c:",
    "d: [x, 2, true]",
    "e: []",
    "- a: 1",
    "- x",
    "- b:",
    "# comment",
    "",
    "f: 'q'",
    "o: {}",
    "p: # comment",
    "r: [\"x y\", 'y', z]",
  ],
  ...['g: "q # q"', "h: $VAR", "i: 30s # comment", "j: http://a:80/b", "k: -5", "l: 1.50", "m: false", "n-o: :9090"],
);
const odd = fc.constantFrom(
  ...[
    "p: 007",
    "q: 1e3",
    "r: ~",
    "s: null",
    "t: a: b",
    "u: b:",
    "v: |",
    "w: >-",
    "x: &x 1",
    "y: *x",
    "z: !!str 1",
    "- - a",
  ],
  ...[
    "a: {b: 1}",
    "b: [a, [b]]",
    "c: 'it''s'",
    'd: "\\n"',
    "e:value",
    "'f': 1",
    "? g",
    "---",
    "...",
    "-",
    "h: 0x1F",
    "i: -0",
  ],
  ...[
    "j: -0.5",
    "k: 1.",
    "l: .5",
    "m: .inf",
    "n: yes",
    "o: 2024-01-01",
    "p: 1_000",
    "q: a  b",
    "r: [a b, c]",
    "s: [a,b,]",
  ],
  ...[
    "t: @x",
    "u: `x`",
    "v: %x",
    "w: a\tb",
    "x: é",
    "y: a # b # c",
    "z: #c",
    "true: 1",
    "__proto__: 1",
    "a: - b",
    "b: -b",
  ],
  ...[
    "c: a#b",
    "d: # c",
    "e:  two",
    "f: 'x' y",
    "g: [x] y",
    "more words",
    "h: a, b",
    "i: a]",
    "j: \u00a0x",
    "k: +5",
    "l: 12:30:45",
  ],
);
const line = fc.oneof({ weight: 8, arbitrary: valid }, { weight: 1, arbitrary: odd });
const indent = fc.constantFrom("", "", "  ", "  ", "    ", "      ", " ");

describe("readPlainYaml", () => {
  test("reads what it reads as the parser of all of YAML does, positions included", () => {
    const texts = fc
      .array(fc.tuple(indent, line, fc.constantFrom("", "", "", " ")), { minLength: 1, maxLength: 12 })
      .map((lines) => lines.map((parts) => parts.join("")).join("\n"));
    let plain = 0;
    fc.assert(
      fc.property(texts, (text) => {
        if (isPlain(text)) plain++;
      }),
      { numRuns: 3000 },
    );
    assert.ok(plain > 30, `${plain} texts were plain`);
  });

  test("reads values as the parser of all of YAML does", () => {
    const characters = fc.constantFrom(..."aZ09._-+:#,[]{}\"'&*!|>%@`~$/ \t=?\\éx");
    const values = fc.array(characters, { maxLength: 8 }).map((parts) => parts.join(""));
    fc.assert(
      fc.property(values, values, (one, other) => {
        isPlain(`a: ${one}\nb:\n  - ${other}\n`);
        isPlain(`a: [${one}, ${other}]\nb: 1\n`);
      }),
      { numRuns: 5000 },
    );
  });

  test("reads nested maps and lists, wherever a list begins", () => {
    const text = [
      "service: # what it is",
      "    name: user-service",
      "    port: 50051",
      "dependencies:",
      "- name: order-service",
      "  retry:",
      "    codes: [UNAVAILABLE, 14]",
      "-   name: payment-service",
      "    tags:",
      "      - a",
      "      - 2",
      "app:",
      "  url: $URL-http://localhost:80/#x",
    ].join("\n");
    assert.ok(isPlain(text));
  });

  test("leaves to the other what is not plain", () => {
    for (const text of [
      "",
      "# nothing",
      "a: {b: 1}",
      "a: &x 1",
      "a: |\n  b",
      "a: 1\na: 2",
      "a:\n  b: 1\n c: 2",
      "a: b\n  c",
    ]) {
      assert.equal(readPlainYaml(text, "c.yaml"), undefined, text);
    }
  });

  test("reads every configuration of the shop", () => {
    const files = globSync("apps/shop/{src,config}/**/*.yaml", { cwd: root });
    assert.ok(files.length >= 4);
    const others = files.filter((file) => !isPlain(readFileSync(join(root, file), "utf8")));
    assert.deepEqual(others, []);
  });
});
