// biome-ignore-all lint/suspicious/noTemplateCurlyInString: placeholders are what is tested here
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { problemText } from "../config-problem.ts";
import { listEntries } from "../document/config-entries.ts";
import { toPlain } from "../document/config-node.ts";
import { readYaml } from "../document/read-yaml.ts";
import { fillPlaceholders } from "./fill-placeholders.ts";

const files: Record<string, string> = { "/run/token": "secret\n", "/run/windows": "a\r\n", "/run/two": "a\n\n" };

function fill(text: string, variables: Record<string, string> = {}) {
  const { root } = readYaml(text, "c.yaml");
  const filled = fillPlaceholders(root ?? assert.fail("not valid YAML"), {
    variables,
    readFile(file) {
      const content = files[file];
      if (content === undefined) throw Object.assign(new Error(`ENOENT: ${file}`), { code: "ENOENT" });
      return content;
    },
  });
  return { plain: toPlain(filled.root), problems: filled.problems.map(problemText), root: filled.root };
}

describe("fillPlaceholders", () => {
  test("fills values at any depth, and numbers and booleans become such", () => {
    const { plain } = fill('a: "${N}"\nb: [x, "${N}1", "${F}"]\nc: {d: "pre-${S}"}\n', { N: "12", F: "false", S: "s" });
    assert.deepEqual(plain, { a: 12, b: ["x", 121, false], c: { d: "pre-s" } });
  });

  test("leaves keys alone", () => {
    assert.deepEqual(fill('"${A}": 1\n').plain, { "${A}": 1 });
  });

  test("never reads what was filled in for placeholders", () => {
    assert.deepEqual(fill('a: "${P}"\n', { P: "x${Q}$${R}" }).plain, { a: "x${Q}$${R}" });
  });

  test("takes the default for a variable that is unset or empty, and an empty one without a default as it is", () => {
    assert.deepEqual(fill('a: "${A:-x}"\nb: "${B:-y}"\nc: "${C}"\n', { B: "", C: "" }).plain, {
      a: "x",
      b: "y",
      c: "",
    });
  });

  test("reads files without the newline at their end", () => {
    const text = 'a: "${file:/run/token}"\nb: "${file:/run/windows}"\nc: "${file:/run/two}"\nd: "${file:/none:-x}"\n';
    assert.deepEqual(fill(text).plain, { a: "secret", b: "a", c: "a\n", d: "x" });
  });

  test("takes the file that VAR_FILE names in place of VAR", () => {
    assert.deepEqual(fill('a: "${T}"\nb: "${T:-x}"\n', { T_FILE: "/run/token" }).plain, { a: "secret", b: "secret" });
  });

  test("says for each value that cannot be filled where it is and what to do, all at once", () => {
    const text = 'a: "${A}-${B}"\nb: "${file:/none}"\nc:\n  - "${D"\nd: "${T}"\ne: "${U:-x}"\n';
    assert.deepEqual(fill(text, { T: "x", T_FILE: "/run/token", U_FILE: "/none" }).problems, [
      "c.yaml:1:4: A is not set (a); set it or A_FILE, or write ${A:-…}",
      "c.yaml:1:4: B is not set (a); set it or B_FILE, or write ${B:-…}",
      "c.yaml:2:4: cannot read file /none (b): no such file",
      "c.yaml:4:5: c[0]: invalid placeholder ${D; use ${NAME}, ${NAME:-default} or ${file:/path}, and $${ for a literal ${",
      "c.yaml:5:4: T and T_FILE are both set (d); unset one of them",
    ]);
  });

  test("leaves unset what cannot be filled inside of enabled: false, however deep and wherever enabled is", () => {
    const text = 'a:\n  x: "${A}"\n  y: {z: ["${B}", 1]}\n  enabled: false\nb: {enabled: "${ON:-false}", x: "${C}"}\n';
    assert.deepEqual(fill(text), {
      ...fill(text),
      plain: { a: { y: { z: [null, 1] }, enabled: false }, b: { enabled: false } },
      problems: [],
    });
  });

  test("refuses what cannot be filled where enabled is true by a variable", () => {
    assert.equal(fill('b: {enabled: "${ON}", x: "${C}"}\n', { ON: "true" }).problems.length, 1);
  });

  test("fills from the variable called constructor only if there is one", () => {
    assert.match(fill('a: "${constructor}"\n').problems.join(), /constructor is not set/);
  });

  test("says where each value came from, and hides what a file of secrets held", () => {
    const { root } = fill('a: "${A}"\nb: "${file:/run/token}"\nc: "${T}"\nd: "${E:-x}"\n', {
      A: "1",
      T_FILE: "/run/token",
    });
    const shape = { kind: "open", entries: new Map(), isRequired: true, isLive: false } as const;
    assert.deepEqual(
      listEntries(root, shape).map(({ shown: { path, value, origin } }) => `${path} ${value} ${origin}`),
      [
        "a 1 c.yaml:1:4 (variable A)",
        "b ••• c.yaml:2:4 (file /run/token)",
        "c ••• c.yaml:3:4 (variable T_FILE, file /run/token)",
        "d x c.yaml:4:4",
      ],
    );
  });
});
