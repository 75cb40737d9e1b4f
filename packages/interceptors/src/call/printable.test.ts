import assert from "node:assert/strict";
import { test } from "node:test";
import { printable } from "./printable.ts";

test("leaves text of any language as it is", () => {
  for (const text of ["", "plain", "größer", "日本語", "🦅 tercel", "a\\nb"]) assert.equal(printable(text, 64), text);
});

test("shows line ends, escapes of terminals, turned writing and broken pairs as what they are", () => {
  assert.equal(printable("a\r\nb", 64), "a\\u000d\\u000ab");
  assert.equal(printable("\u001b[31mred\u009b0m", 64), "\\u001b[31mred\\u009b0m");
  assert.equal(printable("a\u2028b\u202ec\u2066", 64), "a\\u2028b\\u202ec\\u2066");
  assert.equal(printable("a\ud83ez", 64), "a\\ud83ez");
  assert.equal(printable("a\udd85z", 64), "a\\udd85z");
});

test("cuts what is longer than the limit, and not what is as long", () => {
  assert.equal(printable("12345", 5), "12345");
  assert.equal(printable("123456", 5), "12345…");
  assert.equal(printable("1234🦅", 5), "1234\\ud83e…");
});
