import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { findImportCycles } from "./import-cycles.ts";

function cycles(edges: Record<string, string[]>): string[] {
  return findImportCycles(new Map(Object.entries(edges)))
    .map((cycle) => cycle.join(""))
    .sort();
}

describe("findImportCycles", () => {
  it("finds none in a diamond", () => {
    assert.deepEqual(cycles({ a: ["b", "c"], b: ["d"], c: ["d"], d: [] }), []);
  });

  it("returns one shortest cycle for each group", () => {
    assert.deepEqual(cycles({ a: ["b"], b: ["c", "a"], c: ["a"], x: ["y"], y: ["x", "a"], z: ["z"] }), [
      "ab",
      "xy",
      "z",
    ]);
  });

  it("ignores targets that are not in the graph", () => {
    assert.deepEqual(cycles({ a: ["gone"] }), []);
  });

  it("follows a chain of 100,000 files", () => {
    const length = 100_000;
    const graph = new Map(Array.from({ length }, (_, i) => [`${i}`, [`${(i + 1) % length}`]]));
    assert.equal(findImportCycles(graph)[0]?.length, length);
  });
});
