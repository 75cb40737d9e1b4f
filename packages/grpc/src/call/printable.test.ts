import assert from "node:assert/strict";
import { test } from "node:test";
import { printable } from "./printable.ts";

test("leaves ordinary text as it is, up to 256 characters", () => {
  for (const text of ["", "::1", "größer als 3 µs 🙂", "x".repeat(256)]) assert.equal(printable(text), text);
});

test("cuts what is longer and says so", () => {
  assert.equal(printable("x".repeat(257)), `${"x".repeat(255)}…`);
});

test("escapes what could forge a line, move a cursor or turn the reading direction", () => {
  assert.equal(
    printable('a\r\n{"level":"info"}\u001b[2J\u202e\u2028\0'),
    'a\\u{d}\\u{a}{"level":"info"}\\u{1b}[2J\\u{202e}\\u{2028}\\u{0}',
  );
  assert.equal(printable("\ud800"), "\\u{d800}");
});

test("stays within 256 characters when everything is escaped", () => {
  assert.equal(printable("\n".repeat(300)).length, 256);
});
