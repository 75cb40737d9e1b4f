import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { StoredRun } from "../runs/run-store.ts";
import { countDays, countRuns } from "./count-runs.ts";

const at = (text: string): number => Date.parse(text);

function run(change: Partial<StoredRun>): StoredRun {
  return {
    uuid: "",
    kind: "backup",
    state: "completed",
    scheduleUuid: "",
    subjectUuid: "",
    bytes: 100,
    storedBytes: 10,
    files: 1,
    warnings: { first: [], count: 0 },
    failure: undefined,
    message: "",
    revision: 1,
    createdAtMs: at("2026-05-01T10:00Z"),
    startedAtMs: at("2026-05-01T10:00Z"),
    endedAtMs: at("2026-05-01T10:01Z"),
    ...change,
  };
}

describe("statistics", () => {
  it("count what has ended: bytes of good backups, and what checks have read", () => {
    const counts = countRuns([
      run({}),
      run({ state: "warned" }),
      run({ state: "failed", bytes: 0, storedBytes: 0 }),
      run({ state: "skipped", startedAtMs: undefined, endedAtMs: at("2026-05-01T10:00Z") }),
      run({ state: "running", endedAtMs: undefined }),
      run({ kind: "verify", bytes: 7, storedBytes: 0 }),
      run({ kind: "drill", bytes: 5, storedBytes: 0 }),
      run({ kind: "drill", state: "failed", bytes: 5 }),
    ]);
    assert.deepEqual(counts, {
      runs: 7,
      completed: 3,
      warned: 1,
      failed: 2,
      sourceBytes: 200,
      storedBytes: 20,
      snapshots: 2,
      seconds: 360,
      verifiedBytes: 12,
      drills: 2,
      drillsFailed: 1,
    });
  });

  it("are of days by the clock of a zone, newest first", () => {
    const runs = [run({ createdAtMs: at("2026-05-01T23:30Z") }), run({ createdAtMs: at("2026-05-01T10:00Z") })];
    assert.deepEqual(
      countDays(runs, "UTC").map(({ date, counts }) => [date, counts.runs]),
      [["2026-05-01", 2]],
    );
    assert.deepEqual(
      countDays(runs, "Europe/Berlin").map(({ date, counts }) => [date, counts.runs]),
      [
        ["2026-05-02", 1],
        ["2026-05-01", 1],
      ],
    );
  });
});
