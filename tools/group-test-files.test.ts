import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { groupTestFiles } from "./group-test-files.ts";

const named = (count: number, folder: string): string[] => Array.from({ length: count }, (_, at) => `${folder}/${at}`);
const isAlone = (): boolean => false;

describe("groupTestFiles", () => {
  it("puts neighbours of a package together, sixteen at most", () => {
    const files = [
      ...named(17, "packages/a/src"),
      "packages/b/src/0",
      "packages/b/test/0",
      "examples/x/0",
      "examples/y/0",
    ];
    assert.deepEqual(groupTestFiles({ files, usages: [], isAlone }), [
      files.slice(0, 16),
      files.slice(16, 17),
      ["packages/b/src/0", "packages/b/test/0"],
      ["examples/x/0", "examples/y/0"],
    ]);
  });

  it("leaves files alone that have to be, and those that take more than eight seconds", () => {
    const files = named(5, "packages/a");
    const usages = [8, 8.1].map((seconds, at) => ({ file: `packages/a/${at}`, seconds, cpuSeconds: 0 }));
    const groups = groupTestFiles({ files, usages, isAlone: (file) => file === "packages/a/3" });
    assert.deepEqual(groups, [["packages/a/0", "packages/a/2", "packages/a/4"], ["packages/a/1"], ["packages/a/3"]]);
  });

  it("begins another group when one would take more than twenty seconds", () => {
    const files = named(6, "packages/a");
    const usages = files.map((file) => ({ file, seconds: 5, cpuSeconds: 0 }));
    assert.deepEqual(groupTestFiles({ files, usages, isAlone }), [files.slice(0, 4), files.slice(4)]);
  });
});
