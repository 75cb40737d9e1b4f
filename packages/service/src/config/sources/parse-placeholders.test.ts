// biome-ignore-all lint/suspicious/noTemplateCurlyInString: placeholders are what is tested here
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { parsePlaceholders, type TextPart } from "./parse-placeholders.ts";

function parts(text: string): readonly TextPart[] {
  return parsePlaceholders(text).parts ?? assert.fail(parsePlaceholders(text).problem);
}

const literal = (text: string): TextPart => ({ kind: "text", text });

describe("parsePlaceholders", () => {
  test("finds variables, defaults and files, alone and within text", () => {
    assert.deepEqual(parts("a${B}c${D:-e}${file:/run/f}"), [
      literal("a"),
      { kind: "variable", name: "B" },
      literal("c"),
      { kind: "variable", name: "D", fallback: [literal("e")] },
      { kind: "file", file: "/run/f" },
    ]);
  });

  test("takes an empty default, a default of a file, and placeholders within a default", () => {
    assert.deepEqual(parts("${A:-}"), [{ kind: "variable", name: "A", fallback: [] }]);
    assert.deepEqual(parts("${file:/x:-y}"), [{ kind: "file", file: "/x", fallback: [literal("y")] }]);
    assert.deepEqual(parts("${A:-x${B:-y}z}"), [
      {
        kind: "variable",
        name: "A",
        fallback: [literal("x"), { kind: "variable", name: "B", fallback: [literal("y")] }, literal("z")],
      },
    ]);
  });

  test("leaves other dollars alone, and takes $${ as a literal ${", () => {
    assert.deepEqual(parts("$5 $A $$ ${A}$"), [literal("$5 $A $$ "), { kind: "variable", name: "A" }, literal("$")]);
    assert.deepEqual(parts("$${A}"), [literal("${A}")]);
    assert.deepEqual(parts("${A:-$${B}"), [{ kind: "variable", name: "A", fallback: [literal("${B")] }]);
  });

  for (const text of ["${", "${A", "${}", "${1A}", "${A-B}", "${A:-x", "${file:}", "${file:/x", "${ A }", "${A:x}"]) {
    test(`refuses ${text}`, () => {
      const { problem } = parsePlaceholders(text);
      assert.match(
        problem ?? "",
        /^invalid placeholder \$\{.*; use \$\{NAME\}, \$\{NAME:-default\} or \$\{file:\/path\}, and \$\$\{ for a literal \$\{$/,
      );
    });
  }

  test("takes eight placeholders within each other and refuses nine", () => {
    const nested = (depth: number): string => `${"${A:-".repeat(depth)}x${"}".repeat(depth)}`;
    parts(nested(8));
    assert.match(parsePlaceholders(nested(9)).problem ?? "", /more than 8 levels deep/);
  });

  const pieces = fc.constantFrom("${", "}", "$", ":-", "file:", "A", "$${", " ", "é");
  const texts = fc.array(pieces).map((some) => some.join(""));

  test("gives back any text once its ${ are doubled", () => {
    fc.assert(
      fc.property(texts, (text) => {
        const escaped = text.replaceAll("${", () => "$${");
        // A dollar before "${" would join the escape: then the text is another one.
        fc.pre(!text.includes("$${"));
        assert.deepEqual(parts(escaped), text === "" ? [] : [literal(text)]);
      }),
    );
  });

  test("never throws, whatever the text", () => {
    fc.assert(
      fc.property(texts, (text) => {
        const parsed = parsePlaceholders(text);
        assert.equal(parsed.parts === undefined, parsed.problem !== undefined);
      }),
    );
  });
});
