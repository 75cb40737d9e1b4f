import assert from "node:assert/strict";
import { test } from "node:test";
import { checkRegularFields, fieldError, parseDigits, pseudoEntries, valueError } from "./header-rules.ts";

test("takes exactly the token characters without capitals in a name", () => {
  const allowed = "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyz";
  let taken = "";
  for (let byte = 0; byte < 256; byte++) {
    const char = String.fromCharCode(byte);
    if (fieldError(`x${char}y`, "v") === undefined) taken += char;
  }
  assert.equal(taken, [...allowed].sort().join(""));
});

test("refuses an empty name and takes an empty value", () => {
  assert.match(fieldError("", "v") ?? "", /empty field name/);
  assert.equal(fieldError("x", ""), undefined);
});

test("refuses exactly NUL, CR and LF within a value", () => {
  const refused: number[] = [];
  for (let byte = 0; byte < 256; byte++) {
    if (valueError(`a${String.fromCharCode(byte)}b`) !== undefined) refused.push(byte);
  }
  assert.deepEqual(refused, [0, 10, 13]);
});

for (const value of ["\0", "a\r", "\nb", " a", "a ", "\ta", "a\t", " ", "\t"]) {
  test(`refuses the value ${JSON.stringify(value)}`, () => {
    assert.notEqual(valueError(value), undefined);
  });
}

for (const name of ["connection", "keep-alive", "proxy-connection", "transfer-encoding", "upgrade"]) {
  test(`refuses the field ${name}, which belongs to one HTTP/1.1 hop`, () => {
    assert.match(fieldError(name, "x") ?? "", /HTTP\/1\.1/);
  });
}

test("takes the field te with trailers and nothing else", () => {
  assert.equal(fieldError("te", "trailers"), undefined);
  for (const value of ["", "gzip", "trailers, gzip", "Trailers"]) assert.notEqual(fieldError("te", value), undefined);
});

const lengths: readonly [text: string, length: number][] = [
  ["0", 0],
  ["00", 0],
  ["42", 42],
  ["999999999999999", 999_999_999_999_999],
  ["1000000000000000", -1],
  ["", -1],
  ["-1", -1],
  ["+1", -1],
  ["1.0", -1],
  ["0x10", -1],
  ["1 ", -1],
  ["1,1", -1],
];

for (const [text, length] of lengths) {
  test(`reads the content-length "${text}" as ${length === -1 ? "none" : length}`, () => {
    assert.equal(parseDigits(text), length);
  });
}

test("finds the content length among the fields, also when it stands there twice alike", () => {
  assert.equal(checkRegularFields(["a", "b"]), -1);
  assert.equal(checkRegularFields(["content-length", "7", "a", "b"]), 7);
  assert.equal(checkRegularFields(["content-length", "7", "content-length", "7"]), 7);
  assert.match(String(checkRegularFields(["content-length", "7", "content-length", "8"])), /content-length/);
  assert.match(String(checkRegularFields(["content-length", "seven"])), /content-length/);
});

test("refuses a pseudo-header field after a regular one", () => {
  assert.match(String(checkRegularFields(["a", "b", ":path", "/"])), /pseudo-header/);
});

test("counts the pseudo-header fields in front", () => {
  assert.equal(pseudoEntries([]), 0);
  assert.equal(pseudoEntries(["a", "b"]), 0);
  assert.equal(pseudoEntries([":a", "b", ":c", "d", "e", "f", ":g", "h"]), 4);
  assert.equal(pseudoEntries([":a", "b"]), 2);
});
