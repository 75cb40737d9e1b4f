import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { isSourceFile, isTestFile, listFiles } from "../source-files.ts";
import { tokenize } from "../tokenize.ts";
import { backtrackingRisk } from "./backtracking.ts";

const root = join(import.meta.dirname, "..", "..");

/** Suspicious by their shape, but linear. */
const judged = new Map([
  ["/^[a-z]+(?: [a-z]+)*$/", "each repetition begins with a space, which is nowhere else in it"],
  [
    String.raw`/(?<type>[A-Za-z0-9 ]+):(?:(?<quoted>"(?:[^"\\]|\\.)*")|(?<plain>[^",]*))(?:, |$)/y`,
    "a backslash fits one of the choices only",
  ],
  [String.raw`/^[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?$/`, "a dot and an e are between the digits"],
  [String.raw`/^spiffe:\/\/([^/]*)(\/.*)?$/`, "the path begins with the first slash"],
  [String.raw`/^(.*?)(?::(\d+))?$/`, "digits are read once after the colon, and once as a part of the text"],
  [String.raw`/^\d+(\.\d+)?$/`, "a dot is between the digits"],
  [
    String.raw`/^[ \t]*import\s+(?:public\s+|weak\s+|option\s+)?"([^"]+)"\s*;/gm`,
    "the words begin with a letter, and a space is between them",
  ],
  ["/_+(.?)/g", "it matches wherever it begins, so no character is tried twice"],
  [
    String.raw`/^(?:option|command-argument value) '(.+?)'(?: argument '(.*)')? is invalid.*Allowed choices are (.+)\.$/`,
    "the text is commander's, around one argument of the person who runs the command",
  ],
  [String.raw`/^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/`, "a dot and an e are between the digits"],
  [
    String.raw`/"(?:[^"\\\u0000-\u001f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"/y`,
    "a dot and an e are between the digits",
  ],
  [String.raw`/^\.(\S*)\s*(.*)$/s`, "the rest takes whatever is left, and nothing comes after it"],
  [String.raw`/^(\S+)\s*(.*)$/s`, "the rest takes whatever is left, and nothing comes after it"],
  [
    String.raw`/(?<![\w.[\]-])[\w.[\]-]+=(?:"((?:[^"\\]|\\.)*)"|'([^']*)'|(\S*))/g`,
    "a backslash fits one of the choices only, and it begins where a name begins",
  ],
  [
    String.raw`/^\s*(?:((?:[\w.]+\/)?\w+)\s+)?([{["].*)$/s`,
    "a slash ends the service, the name begins with a word character, and the rest takes whatever is left",
  ],
  [String.raw`/^(?:[\w.]+\/)?[a-z]\w*$/i`, "a slash ends the service, so each part is tried once"],
  [String.raw`/^(?:[\w.]+\/)?\w+$/`, "a slash ends the service, so each part is tried once"],
  [String.raw`/^[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*$/`, "a dot is between the names"],
  [
    String.raw`/^([^:=\s]+)\s*[:=]\s*(.*)$/s`,
    "a colon or an equals sign is between them, and the rest takes whatever is left",
  ],
  ["/^[!#$%&'*+.^_`|~0-9A-Za-z-]+( *, *[!#$%&'*+.^_`|~0-9A-Za-z-]+)*$/", "a comma is between the names"],
  [
    "/^(?:[!#$%&'*+.^_`|~0-9A-Za-z-]+:[\\t\\x20-\\x7e\\x80-\\xff]*\\r\\n)*\\r\\n$/",
    "a colon is after the name and a CR after the value, and neither is in them",
  ],
  [
    '/;[ \\t]*([!#$%&\'*+.^_`|~0-9A-Za-z-]+)=(?:"((?:[^"\\\\]|\\\\.)*)"|([^";\\s]*))/g',
    "it begins at a semicolon, which no name has, and a backslash fits one of the choices only",
  ],
  ["/[^=]+=*/g", "it matches wherever it begins, so no character is tried twice"],
  [String.raw`/-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?/y`, "a dot and an e are between the digits"],
  [String.raw`/^-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?$/`, "a dot and an e are between the digits"],
  [
    String.raw`/(:\/\/[^\s/:@]*):[^\s/@]*@/g`,
    "it begins at ://, and the first colon and the at sign part what it takes",
  ],
  [
    String.raw`/^(?:[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?|0o[0-7]+|0x[0-9a-fA-F]+)$/`,
    "a dot and an e are between the digits",
  ],
  [String.raw`/^(\d+(?:\.\d+)?)\s?([A-Za-z]+)?$/`, "a dot is between the digits"],
  [
    String.raw`/^(?:0|(?:\d+(?:\.\d+)?(?:ms|s|m|h|d))+)$/`,
    "each repetition ends with a unit, after which comes a digit",
  ],
  [String.raw`/(\d+(?:\.\d+)?)(ms|s|m|h|d)/gy`, "a dot is between the digits"],
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
  it("of the packages take linear time", () => {
    const risks = risksInPackages();
    assert.deepEqual(
      [...risks].filter(([text]) => !judged.has(text)).map(([, risk]) => risk),
      [],
    );
    assert.deepEqual(
      [...judged.keys()].filter((text) => !risks.has(text)),
      [],
      "listed, but no longer in the sources",
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
    it(`are reported if they look like ${risky}`, () => {
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
    it(`are not reported if they look like ${safe}`, () => {
      assert.equal(backtrackingRisk(safe.source, safe.flags), undefined);
    });
  }
});
