import assert from "node:assert/strict";
import { test } from "node:test";
import { hostileValues } from "@tercel/test-support/hostile-values";
import { stderrLog } from "./log.ts";

test("writes one JSON line with every field, whatever one of them holds", (t) => {
  const lines: string[] = [];
  t.mock.method(process.stderr, "write", (line: string) => lines.push(line) > 0);
  const makers = Object.values(hostileValues);
  for (const make of makers) stderrLog.error("failed", { error: make(), list: [make()], path: "/a/b" });
  t.mock.restoreAll();
  assert.equal(lines.length, makers.length);
  for (const line of lines) {
    const { level, message, path } = JSON.parse(line) as Record<string, unknown>;
    assert.deepEqual([level, message, path], ["error", "failed", "/a/b"]);
  }
});

test("shows numbers, lists and objects as JSON has them, a BigInt by its digits and an Error by its stack and causes", (t) => {
  let line = "";
  t.mock.method(process.stderr, "write", (text: string) => {
    line = text;
    return true;
  });
  const error = new Error("outer", { cause: new TypeError("inner") });
  stderrLog.warn("shown", { count: 1, list: ["a"], nested: { b: true }, big: 7n, error, left: undefined });
  t.mock.restoreAll();
  const shown = JSON.parse(line) as Record<string, unknown>;
  assert.deepEqual([shown.count, shown.list, shown.nested, shown.big], [1, ["a"], { b: true }, "7"]);
  assert.match(shown.error as string, /^Error: outer\n[\s\S]*caused by: TypeError: inner/);
  assert.equal("left" in shown, false);
});
