import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { BenchDocument, CaseResult } from "../report/document.ts";
import { compareRatios, isPassed, renderChanges } from "./compare-ratios.ts";

function caseOf(name: string, ratios: Record<string, number | null>, change: Partial<CaseResult> = {}): CaseResult {
  const peers = Object.fromEntries(
    Object.entries(ratios).map(([peer, ratioCpu]) => [peer, { value: 1, rounds: [1], ratio: 1, ratioCpu }]),
  );
  return {
    name,
    unit: "calls/s",
    per: "call",
    better: "higher",
    tercel: 1,
    rounds: [1],
    peers,
    failures: {},
    ...change,
  };
}

function run(
  cases: readonly CaseResult[],
  versions: Record<string, string> = { js: "1", go: "1", to: "1" },
): BenchDocument {
  return {
    cases,
    skippedCases: [],
    skippedPeers: [],
    notes: [],
    commit: "1a2b3c4",
    date: "2026-12-01",
    options: { rounds: 1, seconds: 3 },
    versions,
    machine: { cpu: "A CPU", cores: 2, memoryBytes: 1, kernel: "6.1" },
  };
}

const compare = (now: BenchDocument, base: BenchDocument) =>
  compareRatios(
    now,
    base,
    base.cases.map(({ name }) => name),
  );

describe("the gate on ratios", () => {
  it("fails on a loss above 5 %, on both sides of the limit", () => {
    const base = run([caseOf("a", { go: 4 })]);
    const [kept] = compare(run([caseOf("a", { go: 3.8 })]), base);
    assert.deepEqual(kept, { name: "a", change: 0.95, peers: ["go"], isLost: false });
    const lost = compare(run([caseOf("a", { go: 3.799 })]), base);
    assert.equal(lost[0]?.isLost, true);
    assert.equal(isPassed(lost), false);
    assert.match(renderChanges(lost, base), /^a +-5\.0 % {2}next to go {2}LOST$/m);
  });

  it("uses the median over the peers, so that an outlier of one peer is not a loss of Tercel", () => {
    const base = run([caseOf("a", { js: 10, go: 4, to: 2 })]);
    const [change] = compare(run([caseOf("a", { js: 6, go: 4, to: 2 })]), base);
    assert.equal(change?.change, 1);
    assert.equal(compare(run([caseOf("a", { js: 6, go: 3, to: 2 })]), base)[0]?.isLost, true);
  });

  it("is independent of the speed of the machine, because both sides of a ratio are from one run", () => {
    const slow = caseOf("a", { go: 4 }, { tercel: 0.1, cpuMicros: 30 });
    assert.equal(isPassed(compare(run([slow]), run([caseOf("a", { go: 4 })]))), true);
  });

  it("ignores peers of another version, and fails if no peer is left", () => {
    const base = run([caseOf("a", { js: 10, go: 4 })]);
    const now = run([caseOf("a", { js: 1, go: 4 })], { js: "2", go: "1" });
    assert.deepEqual(compare(now, base)[0]?.peers, ["go"]);
    const none = compare(run([caseOf("a", { js: 10, go: 4 })], { js: "2", go: "2" }), base);
    assert.equal(isPassed(none), false);
    assert.match(renderChanges(none, base), /NOT COMPARED: no peer has a figure of the same version/);
  });

  it("fails if a case was not measured, if Tercel failed in it, and without cases", () => {
    const base = run([caseOf("a", { go: 4 })]);
    assert.equal(isPassed(compare(run([]), base)), false);
    const failed = caseOf("a", {}, { tercel: null, failures: { tercel: "it fell" } });
    assert.match(renderChanges(compare(run([failed]), base), base), /a +NOT COMPARED: it fell/);
    assert.equal(isPassed([]), false);
  });

  it("ignores cases without CPU time", () => {
    const { per: _, ...memory } = caseOf("memory", { go: 4 });
    const base = run([memory, caseOf("a", { go: 4 })]);
    assert.deepEqual(
      compare(run([caseOf("a", { go: 4 })]), base).map(({ name }) => name),
      ["a"],
    );
  });

  it("reports no figure for a ratio with zero", () => {
    assert.equal(isPassed(compare(run([caseOf("a", { go: null })]), run([caseOf("a", { go: 4 })]))), false);
  });
});
