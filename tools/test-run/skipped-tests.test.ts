import assert from "node:assert/strict";
import { it } from "node:test";
import { describeSkipped, failsOnSkipped } from "./skipped-tests.ts";

it("names a skipped test or suite with its file and its reason", () => {
  const one = { file: "test/a.test.ts", title: "prints", isSuite: false, reason: "no printer" } as const;
  assert.equal(describeSkipped(one), 'skipped: test/a.test.ts: test "prints": no printer');
  assert.equal(describeSkipped({ ...one, isSuite: true, reason: true }), 'skipped: test/a.test.ts: suite "prints"');
});

it("detects CI by the variable that every CI service sets", () => {
  for (const CI of ["true", "1", "yes"]) assert.ok(failsOnSkipped({ CI }), CI);
  for (const CI of [undefined, "", "0", "false"]) assert.ok(!failsOnSkipped({ CI }), CI);
});
