import assert from "node:assert/strict";
import { test } from "node:test";
import type { BenchDocument } from "./document.ts";
import { renderMarkdown } from "./markdown.ts";

const document: BenchDocument = {
  cases: [
    {
      name: "server/unary/10x10",
      unit: "calls/s",
      per: "call",
      better: "higher",
      tercel: 183000.4,
      cpuMicros: 5.4321,
      rounds: [183000.4],
      peers: {
        "grpc-go": { value: 90000, cpuMicros: 9, ratio: 2.033, ratioCpu: 1.66, rounds: [90000] },
        "grpc-js": { value: 10040, cpuMicros: 98, ratio: 18.227, ratioCpu: null, rounds: [10040] },
      },
      failures: {},
    },
    {
      name: "server/large",
      unit: "MB/s",
      per: "MB",
      better: "higher",
      tercel: 558,
      cpuMicros: 1834,
      rounds: [558],
      peers: { "grpc-js": { value: 372, ratio: 1.5, rounds: [372] } },
      failures: { "grpc-go": "3 requests failed" },
    },
    {
      name: "client/stream",
      unit: "messages/s",
      better: "higher",
      tercel: null,
      rounds: [],
      peers: {},
      failures: { tercel: "no" },
    },
  ],
  skippedCases: [{ name: "client/unary/1", reason: "go is not installed" }],
  skippedPeers: [{ name: "grpc-cpp", reason: "cmake is not installed" }],
  notes: ["Nothing was verified."],
  commit: "1a2b3c4",
  date: "2026-12-01",
  options: { rounds: 1, seconds: 3 },
  versions: { tercel: "0.1.0", "grpc-js": "1.14.7", "grpc-go": "1.85.0" },
  machine: { cpu: "A CPU", cores: 2, memoryBytes: 1, kernel: "6.1" },
};
const lines = renderMarkdown(document).split("\n");

test("is a table with a row for each case and a column for each peer, in the versions' order", () => {
  assert.deepEqual(lines.slice(0, 5), [
    "| case | Tercel | CPU each | grpc-js | grpc-go |",
    "| --- | --- | --- | --- | --- |",
    "| `server/unary/10x10` | 183,000 calls/s | 5.4 µs | 18 | 2.0 (1.7) |",
    "| `server/large` | 558 MB/s | 1.8 ms | 1.5 | failed |",
    "| `client/stream` | failed | | | |",
  ]);
});

test("shows machine, versions, notes, failures and what was left out", () => {
  assert.deepEqual(lines.slice(6), [
    "Medians of 1 round of 3 s on 2026-12-01, commit 1a2b3c4; A CPU, 2 cores, Linux 6.1; tercel 0.1.0, grpc-js 1.14.7, grpc-go 1.85.0.",
    "Nothing was verified.",
    "- `server/large`: grpc-go failed: 3 requests failed",
    "- `client/stream`: tercel failed: no",
    "- grpc-cpp was not measured: cmake is not installed",
    "- `client/unary/1` was skipped: go is not installed",
    "",
  ]);
});
