import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { orderGroups } from "./order-groups.ts";

const usage = (file: string, seconds: number) => ({ file, seconds, cpuSeconds: 0 });

describe("orderGroups", () => {
  it("starts the groups first whose files took longest in total", () => {
    const usages = [usage("a", 1), usage("b", 3), usage("gone", 9), usage("c", 2), usage("d", 2)];
    assert.deepEqual(orderGroups([["a"], ["b"], ["c", "d"]], usages), [["c", "d"], ["b"], ["a"]]);
  });

  it("starts groups with a file that never ran before all others, and keeps their order", () => {
    const usages = [usage("a", 1), usage("c", 2)];
    assert.deepEqual(orderGroups([["a"], ["c", "b"], ["c"], ["d"]], usages), [["c", "b"], ["d"], ["c"], ["a"]]);
    assert.deepEqual(orderGroups([["b"], ["a"]], []), [["b"], ["a"]]);
  });
});
