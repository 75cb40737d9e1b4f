import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { groupTestFiles } from "./group-test-files.ts";

const named = (count: number, folder: string): string[] => Array.from({ length: count }, (_, at) => `${folder}/${at}`);
const isAlone = (): boolean => false;

describe("groupTestFiles", () => {
  it("groups neighbouring files of a package, 32 at most", () => {
    const files = [
      ...named(33, "packages/a/src"),
      "packages/b/src/0",
      "packages/b/test/0",
      "examples/x/0",
      "examples/y/0",
    ];
    const usages = files.map((file) => ({ file, seconds: 0.1, cpuSeconds: 0.1 }));
    assert.deepEqual(groupTestFiles({ files, usages, isAlone }), [
      files.slice(0, 32),
      files.slice(32, 33),
      ["packages/b/src/0", "packages/b/test/0"],
      ["examples/x/0", "examples/y/0"],
    ]);
  });

  it("gives files their own group that must run alone, or take more than five seconds of CPU time or half a minute", () => {
    const files = named(7, "packages/a");
    const usages = [
      { file: "packages/a/0", seconds: 30, cpuSeconds: 0 },
      { file: "packages/a/1", seconds: 31, cpuSeconds: 0 },
      { file: "packages/a/3", seconds: 3, cpuSeconds: 5 },
      { file: "packages/a/4", seconds: 3, cpuSeconds: 5.1 },
    ];
    const groups = groupTestFiles({ files, usages, isAlone: (file) => file === "packages/a/5" });
    assert.deepEqual(groups, [
      ["packages/a/0", "packages/a/2", "packages/a/3", "packages/a/6"],
      ["packages/a/1"],
      ["packages/a/4"],
      ["packages/a/5"],
    ]);
  });

  it("begins a new group when one would take more than twelve seconds of CPU time, or a minute", () => {
    const files = named(6, "packages/a");
    const costing = (seconds: number, cpuSeconds: number) => files.map((file) => ({ file, seconds, cpuSeconds }));
    const groupsOf = (usages: ReturnType<typeof costing>) => groupTestFiles({ files, usages, isAlone });
    assert.deepEqual(groupsOf(costing(0, 3)), [files.slice(0, 4), files.slice(4)]);
    assert.deepEqual(groupsOf(costing(20, 0)), [files.slice(0, 3), files.slice(3)]);
  });

  it("expects more of a file that never ran where it starts an application", () => {
    const files = [...named(4, "apps/a/test"), ...named(25, "packages/a/test")];
    assert.deepEqual(groupTestFiles({ files, usages: [], isAlone }), [
      files.slice(0, 3),
      files.slice(3, 4),
      files.slice(4, 28),
      files.slice(28),
    ]);
  });
});
