import assert from "node:assert/strict";
import { test } from "node:test";
import { createJsonLog, describeError } from "./json-log.ts";

function capture() {
  const lines: string[] = [];
  return { lines, log: createJsonLog("demo", (line) => lines.push(line)) };
}

test("an event is one line of JSON with time, level, service, event and fields", () => {
  const { lines, log } = capture();
  log.warn("slow", { ms: 5, note: "two\nlines", missing: undefined });
  assert.equal(lines.length, 1);
  const line = lines[0] ?? "";
  assert.equal(line.indexOf("\n"), line.length - 1);
  const { time, ...rest } = JSON.parse(line);
  assert.equal(new Date(time).toISOString(), time);
  assert.deepEqual(rest, { level: "warn", service: "demo", event: "slow", ms: 5, note: "two\nlines" });
});

test("levels keep their names", () => {
  const { lines, log } = capture();
  log.info("a");
  log.warn("b");
  log.error("c");
  assert.deepEqual(
    lines.map((line) => JSON.parse(line).level),
    ["info", "warn", "error"],
  );
});

test("a field of 4,000 characters is whole and a longer one is cut", () => {
  const { lines, log } = capture();
  log.info("long", { whole: "x".repeat(4_000), cut: "x".repeat(4_001) });
  const record = JSON.parse(lines[0] ?? "");
  assert.equal(record.whole.length, 4_000);
  assert.equal(record.cut.length, 4_000);
});

test("anything thrown can be described", () => {
  assert.match(describeError(new TypeError("bad")), /TypeError: bad\n/);
  assert.equal(describeError("text"), "text");
  assert.equal(describeError(undefined), "undefined");
});
