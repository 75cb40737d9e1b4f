import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { backtrackingRisk } from "./backtracking.ts";
import { isSourceFile, isTestFile, listFiles } from "./source-files.ts";
import { tokenize } from "./tokenize.ts";

const root = join(import.meta.dirname, "..");

/** Suspected by their shape, and linear all the same. */
const judged = new Map([
  ["/^[a-z]+(?: [a-z]+)*$/", "each repetition begins with a space, which is nowhere else in it"],
  [
    String.raw`/(?<type>[A-Za-z0-9 ]+):(?:(?<quoted>"(?:[^"\\]|\\.)*")|(?<plain>[^",]*))(?:, |$)/y`,
    "a backslash fits one of the choices only",
  ],
  [String.raw`/^[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?$/`, "a dot and an e stand between the digits"],
  [String.raw`/^[A-Za-z_][\w.]*(\/[A-Za-z_]\w*)?$/`, "a slash stands between the names"],
  [String.raw`/^spiffe:\/\/([^/]*)(\/.*)?$/`, "the path begins with the first slash"],
  [String.raw`/^(.*?)(?::(\d+))?$/`, "digits are looked at once from the colon before them, and once on the way"],
]);

function risksInPackages(): Map<string, string> {
  const risks = new Map<string, string>();
  for (const path of listFiles(root, "packages")) {
    if (!/^packages\/[^/]+\/src\//.test(path) || !isSourceFile(path) || isTestFile(path)) continue;
    for (const { kind, text, line } of tokenize(readFileSync(join(root, path), "utf8"))) {
      if (kind !== "regex") continue;
      const end = text.lastIndexOf("/");
      const risk = backtrackingRisk(text.slice(1, end), text.slice(end + 1));
      if (risk !== undefined) risks.set(text, `${path}:${line} ${text}: ${risk}`);
    }
  }
  return risks;
}

describe("regular expressions", () => {
  it("of the packages take time in proportion to their input", () => {
    const risks = risksInPackages();
    assert.deepEqual(
      [...risks].filter(([text]) => !judged.has(text)).map(([, risk]) => risk),
      [],
    );
    assert.deepEqual(
      [...judged.keys()].filter((text) => !risks.has(text)),
      [],
      "judged, but nowhere to be found",
    );
  });

  for (const risky of [
    /=+$/,
    /^(a+)+$/,
    /^(?:a|ab)*$/,
    /^\d*\d+x/,
    /^.*?:.*x$/,
    /^(.*)(.*)x$/,
    /^\w+-?\w+$/,
    /\s+x/,
    /^(b(?:a*)*)$/,
    /^x{2,}[x-z]*$/,
  ]) {
    it(`are suspected when they look like ${risky}`, () => {
      assert.notEqual(backtrackingRisk(risky.source, risky.flags), undefined);
    });
  }

  for (const safe of [
    /^[a-z]+=*$/,
    /[^a-z]+/g,
    /^\d+\.\d+$/,
    /:\d+$/,
    /^(?:ab?){1,9}$/,
    /=+/y,
    /^[\])|]+\(*$/,
    /^\u{e9}+\x41*/u,
  ]) {
    it(`are not when they look like ${safe}`, () => {
      assert.equal(backtrackingRisk(safe.source, safe.flags), undefined);
    });
  }
});
