import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { checkWords, findWords } from "./check-words.ts";

const words = [
  { word: "octet*", instead: "byte", except: ["octet-stream"] },
  { word: "anew", instead: "again" },
  { word: "drawn by lot", instead: "at random" },
  { word: "OldName", instead: "NewName" },
];
const found = (text: string): string[] => findWords(text, words).map((one) => one.found);

test("finds a word in any case, but not as part of another", () => {
  assert.deepEqual(found("It begins anew. Anew it\nis renewed, meanwhile."), ["anew", "Anew"]);
  assert.deepEqual(findWords("one\nanew", words), [{ line: 2, found: "anew", instead: "again" }]);
});

test("finds words that begin with it, within names too", () => {
  assert.deepEqual(found("octets, firstOctet, OctetReader, Octets"), ["octets", "Octet", "OctetReader", "Octets"]);
});

test("ignores exceptions only", () => {
  assert.deepEqual(found("application/octet-stream"), []);
  assert.deepEqual(found("octet-stream octets octet-stream"), ["octets"]);
  assert.deepEqual(found("application/octet-stream is what they call it, and some octets are left"), ["octets"]);
});

test("finds phrases, and names with the same capital letters only", () => {
  assert.deepEqual(found("drawn by lot; OldName, oldName, oldname"), ["drawn by lot", "OldName"]);
});

test("reads the files in the table, and reports the position and the replacement", (t) => {
  const root = mkdtempSync(join(tmpdir(), "words-"));
  t.after(() => rmSync(root, { recursive: true }));
  mkdirSync(join(root, "a/gen"), { recursive: true });
  writeFileSync(join(root, "a/b.ts"), "// fine\n// anew\n");
  writeFileSync(join(root, "a/gen/c.ts"), "// anew\n");
  writeFileSync(join(root, "a/d.txt"), "anew\n");
  const table = { files: ["**/*.ts"], except: ["**/gen/**"], words };
  assert.deepEqual(checkWords(root, table), ['a/b.ts:2: "anew", write "again"']);
});
