import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { describe, it } from "node:test";
import type { WarningReason } from "../engine/engine.ts";
import { describeWarnings, WarningList } from "./warning-list.ts";

function listOf(...warnings: [WarningReason, string][]): WarningList {
  const list = new WarningList();
  for (const [reason, path] of warnings) list.add({ reason, path: Buffer.from(path), message: "" });
  return list;
}

describe("WarningList", () => {
  it("describes warnings by what happened", () => {
    const list = listOf(["UNREADABLE", "a"], ["FILE_CHANGED", "log"], ["UNREADABLE", "b"]);
    assert.equal(
      describeWarnings(list.value),
      "2 entries could not be read: a, b; 1 file changed while it was read: log",
    );
    assert.equal(describeWarnings(new WarningList().value), "");
  });

  it("reports a path that cannot be read once, whoever finds it", () => {
    assert.equal(listOf(["UNREADABLE", "a"], ["UNREADABLE", "a"]).value.count, 1);
  });

  it("keeps a hundred and counts all", () => {
    const list = listOf(...Array.from({ length: 105 }, (_, at) => ["FILE_GONE", `f${at}`] as [WarningReason, string]));
    assert.deepEqual([list.value.first.length, list.value.count], [100, 105]);
    assert.match(describeWarnings(list.value), /^100 files were removed .+: f0, .+, f9, and 90 more; 5 more warnings$/);
  });
});
