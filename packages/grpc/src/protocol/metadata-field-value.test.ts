import assert from "node:assert/strict";
import { test } from "node:test";
import { decodeBinaryValue, encodeBinaryValue, isAsciiValue, isBinaryValue, stripEdges } from "./metadata-field.ts";

test("accepts exactly space to tilde in an ASCII value", () => {
  for (let unit = 0; unit < 0x180; unit++) {
    assert.equal(isAsciiValue(`a${String.fromCharCode(unit)}b`), unit >= 0x20 && unit <= 0x7e, String(unit));
  }
  assert.ok(isAsciiValue(""));
});

test("strips spaces and tabs at the edges only", () => {
  assert.equal(stripEdges(" \t a b\t "), "a b");
  assert.equal(stripEdges("ab"), "ab");
  assert.equal(stripEdges(" \t "), "");
});

test("accepts base64 with and without padding", () => {
  for (const value of ["", "YQ==", "YQ", "YWI=", "YWI", "YWJj", "+/+/", "0189azAZ"])
    assert.ok(isBinaryValue(value), value);
});

test("accepts a list of base64 values and blanks around them", () => {
  for (const value of ["YQ,YWI=,YWJj", "YQ== , YQ", " YQ", ",", "YQ,"]) assert.ok(isBinaryValue(value), value);
});

test("refuses what is no base64", () => {
  const bad = [
    "Y",
    "YWJjZ",
    "YQ=",
    "YQ===",
    "====",
    "=",
    "Y=Q=",
    "YQ==YQ==",
    "ab-_",
    "!!ab",
    "Y Q=",
    "YQ\n",
    "%59",
    "YQ==,!",
    "ü",
  ];
  for (const value of bad) assert.ok(!isBinaryValue(value), value);
});

test("reads back bytes of every length it writes, without padding", () => {
  for (let length = 0; length < 20; length++) {
    const bytes = Uint8Array.from({ length }, (_, at) => 255 - at * 11);
    const value = encodeBinaryValue(bytes);
    assert.ok(!value.includes("="));
    assert.ok(isBinaryValue(value));
    assert.deepEqual(new Uint8Array(decodeBinaryValue(value)), bytes);
  }
});

test("encodes only the range of a view", () => {
  assert.equal(encodeBinaryValue(new TextEncoder().encode("xxabcxx").subarray(2, 5)), "YWJj");
});
