import assert from "node:assert/strict";
import { test } from "node:test";
import { printable } from "./printable.ts";

test("leaves text of any language as it is, up to 256 characters or as many as it is given", () => {
  const texts = ["", "::1", "größer als 3 µs 🙂", "日本語", "می‌خواهم", "👩‍💻", "a\\nb", "x".repeat(256)];
  for (const text of texts) assert.equal(printable(text), text);
  assert.equal(printable("12345", 5), "12345");
});

test("cuts what is longer and says so", () => {
  assert.equal(printable("x".repeat(257)), `${"x".repeat(255)}…`);
  assert.equal(printable("123456", 5), "1234…");
});

test("leaves no half of a pair where it cuts", () => {
  assert.equal(printable("123🦅5", 5), "123…");
  assert.equal(printable("12🦅56", 5), "12🦅…");
});

test("escapes what could forge a line, move a cursor or turn the reading direction", () => {
  assert.equal(
    printable('a\r\n{"level":"info"}\u001b[2J\u202e\u2028\0'),
    'a\\u{d}\\u{a}{"level":"info"}\\u{1b}[2J\\u{202e}\\u{2028}\\u{0}',
  );
  assert.equal(printable("\u009b0m\u2066\ufeff"), "\\u{9b}0m\\u{2066}\\u{feff}");
  assert.equal(printable("\ud800"), "\\u{d800}");
  assert.equal(printable("a\udd85z"), "a\\u{dd85}z");
});

test("stays within its limit when everything is escaped", () => {
  assert.equal(printable("\n".repeat(300)).length, 256);
  assert.equal(printable("\n\n", 11), "\\u{a}\\u{a}");
  assert.equal(printable("\n\n", 9), "\\u{a}\\u{…");
});
