import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { orderTestFiles } from "./order-test-files.ts";

const usage = (file: string, seconds: number) => ({ file, seconds, cpuSeconds: 0 });

describe("orderTestFiles", () => {
  it("starts the files that took longest first", () => {
    const usages = [usage("a", 1), usage("b", 3), usage("gone", 9), usage("c", 2)];
    assert.deepEqual(orderTestFiles(["a", "b", "c"], usages), ["b", "c", "a"]);
  });

  it("starts files before all others that never ran, and keeps their order", () => {
    assert.deepEqual(orderTestFiles(["a", "b", "c", "d"], [usage("a", 1), usage("c", 2)]), ["b", "d", "c", "a"]);
    assert.deepEqual(orderTestFiles(["b", "a"], []), ["b", "a"]);
  });
});
