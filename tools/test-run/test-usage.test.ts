import assert from "node:assert/strict";
import { appendFileSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, it } from "node:test";
import { describeSlowest, keepUsage, readUsage } from "./test-usage.ts";

describe("the usage of test files", () => {
  let folder = "";
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "tercel-test-usage-"));
  });
  afterEach(() => {
    rmSync(folder, { recursive: true });
  });

  it("is read from the reports of the files", () => {
    const path = join(folder, "usage.jsonl");
    assert.deepEqual(readUsage(path), []);
    const usages = [
      { file: "a.test.ts", seconds: 1, cpuSeconds: 2 },
      { file: "b.test.ts", seconds: 3, cpuSeconds: 4 },
    ];
    writeFileSync(path, usages.map((one) => `${JSON.stringify(one)}\n`).join(""));
    assert.deepEqual(readUsage(path), usages);
    appendFileSync(path, '{"file":"killed');
    assert.deepEqual(readUsage(path), usages);
  });

  it("is stored for the next run, with the usage of files that did not run", () => {
    const path = join(folder, "usage.jsonl");
    const [first, second] = [1, 2].map((seconds) => ({ file: "a.test.ts", seconds, cpuSeconds: 0 }));
    const other = { file: "b.test.ts", seconds: 3, cpuSeconds: 4 };
    assert.ok(first !== undefined && second !== undefined);
    keepUsage(path, [first, other]);
    assert.deepEqual(readUsage(path), [first, other]);
    keepUsage(path, [second]);
    assert.deepEqual(readUsage(path), [second, other]);
    keepUsage(join(folder, "nowhere", "usage.jsonl"), [first]);
    assert.deepEqual(readdirSync(folder), ["usage.jsonl"]);
  });

  it("is shown for the slowest files in order, and as a total", () => {
    const usages = [
      { file: "quick.test.ts", seconds: 0.04, cpuSeconds: 0.04 },
      { file: "slow.test.ts", seconds: 12.34, cpuSeconds: 20 },
      { file: "slowest.test.ts", seconds: 100, cpuSeconds: 1.25 },
    ];
    assert.deepEqual(describeSlowest(usages, 2).split("\n"), [
      "the slowest of 3 test files (seconds, processor seconds):",
      "  100.0     1.3  slowest.test.ts",
      "   12.3    20.0  slow.test.ts",
      "processor seconds of all test files: 21",
    ]);
  });
});
