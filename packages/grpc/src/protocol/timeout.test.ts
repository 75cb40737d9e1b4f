import assert from "node:assert/strict";
import { test } from "node:test";
import { Code } from "@connectrpc/connect";
import { formatTimeout, maxTimeoutMs, parseTimeout } from "./timeout.ts";

function parsed(text: string): number {
  const result = parseTimeout(text);
  assert.ok("timeoutMs" in result, text);
  return result.timeoutMs;
}

test("reads each unit", () => {
  assert.equal(parsed("2H"), 7_200_000);
  assert.equal(parsed("2M"), 120_000);
  assert.equal(parsed("2S"), 2000);
  assert.equal(parsed("2m"), 2);
  assert.equal(parsed("2500u"), 2.5);
  assert.equal(parsed("500000n"), 0.5);
});

test("reads zero and leading zeros", () => {
  for (const unit of "HMSmun") assert.equal(parsed(`0${unit}`), 0);
  assert.equal(parsed("00000001S"), 1000);
});

test("reads eight digits and refuses nine", () => {
  assert.equal(parsed("99999999m"), 99_999_999);
  assert.ok("error" in parseTimeout("100000000m"));
  assert.ok("error" in parseTimeout("000000001m"));
});

test("clamps hours to the longest deadline that peers can hold", () => {
  assert.equal(parsed("2562047H"), 2_562_047 * 3_600_000);
  assert.ok(parsed("2562047H") < maxTimeoutMs);
  assert.equal(parsed("2562048H"), maxTimeoutMs);
  assert.equal(parsed("99999999H"), maxTimeoutMs);
  assert.ok(parsed("99999999M") < maxTimeoutMs);
});

test("refuses malformed values as Internal", () => {
  const malformed = [
    "",
    "m",
    "1",
    "12",
    "-1S",
    "+1S",
    "1.5S",
    "1 S",
    " 1S",
    "1S ",
    "1s",
    "1h",
    "1X",
    "1mm",
    "1S\n",
    "\n1S",
    "S1",
    "1e3m",
    "0x1m",
    "١S",
    `${"9".repeat(100_000)}S`,
  ];
  for (const text of malformed) {
    const result = parseTimeout(text);
    assert.ok("error" in result, text);
    assert.equal(result.error.code, Code.Internal);
    assert.ok(result.error.message.length < 200);
  }
});

test("writes whole milliseconds as milliseconds", () => {
  assert.equal(formatTimeout(1), "1m");
  assert.equal(formatTimeout(5000), "5000m");
  assert.equal(formatTimeout(99_999_999), "99999999m");
});

test("writes fractions as microseconds, rounded up", () => {
  assert.equal(formatTimeout(0.25), "250u");
  assert.equal(formatTimeout(1.0001), "1001u");
  assert.equal(formatTimeout(Number.MIN_VALUE), "1u");
  assert.equal(formatTimeout(99_999.999), "99999999u");
  assert.equal(formatTimeout(100_000.5), "100001m");
});

test("goes to coarser units only where eight digits do not suffice, rounding up", () => {
  assert.equal(formatTimeout(100_000_000), "100000S");
  assert.equal(formatTimeout(100_000_001), "100001S");
  assert.equal(formatTimeout(99_999_999_000), "99999999S");
  assert.equal(formatTimeout(99_999_999_001), "1666667M");
  assert.equal(formatTimeout(99_999_999 * 60_000), "99999999M");
  assert.equal(formatTimeout(99_999_999 * 60_000 + 1), "1666667H");
  assert.equal(formatTimeout(Number.POSITIVE_INFINITY), "2562048H");
});

test("writes what is not positive as already over", () => {
  for (const timeoutMs of [0, -0, -1, Number.NEGATIVE_INFINITY, Number.NaN])
    assert.equal(formatTimeout(timeoutMs), "0m");
});

test("never writes more than eight digits, and never less than it was given", () => {
  for (let timeoutMs = 0.0007; timeoutMs < maxTimeoutMs; timeoutMs *= 1.37) {
    const text = formatTimeout(timeoutMs);
    assert.ok(text.length <= 9, text);
    assert.ok(parsed(text) >= timeoutMs * (1 - 1e-12), `${timeoutMs} became ${text}`);
  }
});
