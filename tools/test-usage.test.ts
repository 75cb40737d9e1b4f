import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it } from "node:test";
import { describeSlowest, readUsage } from "./test-usage.ts";

describe("the usage of test files", () => {
  it("is read as the files have reported it", () => {
    const folder = mkdtempSync(join(tmpdir(), "tercel-test-usage-"));
    try {
      const path = join(folder, "usage.jsonl");
      writeFileSync(path, "");
      assert.deepEqual(readUsage(path), []);
      const usages = [
        { file: "a.test.ts", seconds: 1, cpuSeconds: 2 },
        { file: "b.test.ts", seconds: 3, cpuSeconds: 4 },
      ];
      writeFileSync(path, usages.map((one) => `${JSON.stringify(one)}\n`).join(""));
      assert.deepEqual(readUsage(path), usages);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it("is shown for the slowest, the slowest first, and as the sum of all", () => {
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
