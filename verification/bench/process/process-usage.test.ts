import assert from "node:assert/strict";
import { test } from "node:test";
import { parseCpuMicros, parseResidentBytes, readCpuMicros, readResidentBytes } from "./process-usage.ts";

const STAT =
  "4242 (node) S 1 4242 4242 0 -1 4194304 2633 0 12 0 137 25 0 0 20 0 11 0 5500 1100000000 12000 18446744073709551615 1";

test("adds user and system time and turns ticks into microseconds", () => {
  assert.equal(parseCpuMicros(STAT), (137 + 25) * 10_000);
});

test("reads a line with spaces and parentheses in the program's name", () => {
  assert.equal(parseCpuMicros(STAT.replace("(node)", "(my (odd) name) 1 2)")), (137 + 25) * 10_000);
});

test("refuses a line without times", () => {
  assert.throws(() => parseCpuMicros("4242 (node) S 1"), /no CPU time/);
});

test("reads the resident size in bytes", () => {
  assert.equal(parseResidentBytes("00400000-7ffd rollup\nRss:               57344 kB\nPss:    1 kB\n"), 57344 * 1024);
  assert.throws(() => parseResidentBytes("Pss: 1 kB\n"), /no Rss/);
});

test("reads both of a process that runs", { skip: process.platform !== "linux" && "only Linux has /proc" }, () => {
  assert.ok(Number.isInteger(readCpuMicros(process.pid)));
  assert.ok(readResidentBytes(process.pid) > 1024 * 1024);
});
