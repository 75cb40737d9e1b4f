import assert from "node:assert/strict";
import { test } from "node:test";
import type { BenchDocument } from "./document.ts";
import { renderTable } from "./table.ts";

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
      peers: { "grpc-js": { value: 10040, cpuMicros: 98, ratio: 18.227, ratioCpu: null, rounds: [10040] } },
      failures: { "grpc-go": "3 requests failed" },
    },
    {
      name: "memory/idle-connection",
      unit: "bytes",
      better: "lower",
      tercel: 5000,
      rounds: [5000],
      peers: { "grpc-js": { value: 20000, ratio: 4, rounds: [20000] } },
      failures: {},
    },
  ],
  skippedCases: [{ name: "client/unary/1", reason: "go is not installed" }],
  skippedPeers: [{ name: "grpc-cpp", reason: "cmake is not installed" }],
  notes: ["Nothing was verified."],
  commit: "1a2b3c4",
  date: "2026-12-01",
  options: { rounds: 1, seconds: 3 },
  versions: { tercel: "0.1.0", "grpc-js": "1.14.7" },
  machine: { cpu: "A CPU", cores: 2, memoryBytes: 1, kernel: "6.1" },
};
const lines = renderTable(document).split("\n");
const cells = (start: string) =>
  lines
    .find((line) => line.startsWith(start))
    ?.trim()
    .split(/ {2,}/);

test("heads each case with its unit and what the CPU time is counted for", () => {
  assert.deepEqual(cells("server/unary"), ["server/unary/10x10", "calls/s", "CPU µs/call", "ratio", "CPU ratio"]);
  assert.deepEqual(cells("memory"), ["memory/idle-connection", "bytes", "ratio"]);
});

test("shows values with thousands marked, CPU time, and a dash for a missing ratio", () => {
  assert.deepEqual(cells("  tercel"), ["tercel", "183,000", "5.43"]);
  assert.deepEqual(cells("  grpc-js"), ["grpc-js", "10,040", "98.00", "18.23", "-"]);
  assert.ok(lines.some((line) => /^ {2}grpc-js +20,000 +4\.00$/.test(line)));
});

test("names what failed and what was left out, with the reasons", () => {
  assert.ok(lines.includes("  grpc-go FAILED: 3 requests failed"));
  assert.ok(lines.includes("Peer grpc-cpp is not measured: cmake is not installed"));
  assert.ok(lines.includes("Case client/unary/1 is skipped: go is not installed"));
  assert.ok(lines.includes("Nothing was verified."));
});

test("says how it was measured, on what and with which versions", () => {
  assert.ok(lines.includes("Median of 1 round of 3 s. A ratio is how often Tercel is better: above 1, it is."));
  assert.ok(lines.includes("Machine: A CPU, 2 cores, Linux 6.1."));
  assert.ok(lines.includes("Versions: tercel 0.1.0, grpc-js 1.14.7."));
});
