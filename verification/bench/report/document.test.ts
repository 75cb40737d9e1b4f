import assert from "node:assert/strict";
import { test } from "node:test";
import type { BenchCase } from "../case.ts";
import type { Outcome } from "../measure/interleave.ts";
import { caseResult } from "./document.ts";

const rate: BenchCase = {
  name: "client/unary/1",
  unit: "calls/s",
  per: "call",
  better: "higher",
  work: { kind: "client", call: "unary", concurrency: 1 },
};
const memory: BenchCase = {
  name: "memory/idle-connection",
  unit: "bytes",
  better: "lower",
  work: { kind: "idle", connections: 1000, callsEach: 0 },
};

test("quotes medians and says how often Tercel is better, in rate and in CPU time", () => {
  const outcomes = new Map<string, Outcome>([
    [
      "tercel",
      {
        turns: [
          { value: 300, cpuMicros: 4 },
          { value: 200, cpuMicros: 5 },
          { value: 100, cpuMicros: 9 },
        ],
      },
    ],
    [
      "grpc-js",
      {
        turns: [
          { value: 50, cpuMicros: 20 },
          { value: 60, cpuMicros: 30 },
          { value: 40, cpuMicros: 20 },
        ],
      },
    ],
  ]);
  assert.deepEqual(caseResult(rate, outcomes), {
    name: "client/unary/1",
    unit: "calls/s",
    per: "call",
    better: "higher",
    tercel: 200,
    cpuMicros: 5,
    rounds: [300, 200, 100],
    peers: { "grpc-js": { value: 50, cpuMicros: 20, rounds: [50, 60, 40], ratio: 4, ratioCpu: 4 } },
    failures: {},
  });
});

test("where lower is better a ratio above 1 still means that Tercel is, and no CPU time is made up", () => {
  const outcomes = new Map<string, Outcome>([
    ["tercel", { turns: [{ value: 5000 }] }],
    ["grpc-js", { turns: [{ value: 20000 }] }],
  ]);
  const result = caseResult(memory, outcomes);
  assert.deepEqual(result.peers["grpc-js"], { value: 20000, rounds: [20000], ratio: 4 });
  assert.equal("cpuMicros" in result, false);
});

test("a peer that failed is named with its reason and has no figure", () => {
  const outcomes = new Map<string, Outcome>([
    ["tercel", { turns: [{ value: 1, cpuMicros: 1 }] }],
    ["grpc-js", { failure: "3 requests failed" }],
  ]);
  const result = caseResult(rate, outcomes);
  assert.deepEqual(result.failures, { "grpc-js": "3 requests failed" });
  assert.deepEqual(result.peers, {});
});

test("without a figure of Tercel's the peers keep theirs and have no ratio", () => {
  const outcomes = new Map<string, Outcome>([
    ["tercel", { failure: "the server ended with exit code 1" }],
    ["grpc-js", { turns: [{ value: 50, cpuMicros: 20 }] }],
  ]);
  const result = caseResult(rate, outcomes);
  assert.equal(result.tercel, null);
  assert.deepEqual(result.peers["grpc-js"], { value: 50, cpuMicros: 20, rounds: [50], ratio: null, ratioCpu: null });
});

test("CPU time too small to be seen gives no ratio instead of an infinite one", () => {
  const outcomes = new Map<string, Outcome>([
    ["tercel", { turns: [{ value: 1, cpuMicros: 0 }] }],
    ["grpc-js", { turns: [{ value: 1, cpuMicros: 20 }] }],
  ]);
  assert.equal(caseResult(rate, outcomes).peers["grpc-js"]?.ratioCpu, null);
});
