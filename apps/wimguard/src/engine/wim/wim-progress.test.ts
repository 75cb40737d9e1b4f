import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { parseWimProgress } from "./wim-progress.ts";

describe("parseWimProgress", () => {
  for (const [line, expected] of [
    ["2929 KiB scanned (6 files, 2 directories)    ", { phase: "scanning", bytesDone: 2929 * 1024, stepBytes: 1024 }],
    ["44 bytes scanned (1 files, 0 directories)", { phase: "scanning", bytesDone: 44, stepBytes: 1 }],
    ["Archiving file data: 32 KiB of 2929 KiB (1%) done", { phase: "reading", bytesDone: 32 * 1024, stepBytes: 1024 }],
    ["Extracting file data: 2 MiB of 52 MiB (4%) done", { phase: "reading", bytesDone: 2 ** 21, stepBytes: 2 ** 20 }],
    [
      "Archiving file data: 3 GiB of 12 GiB (25%) done",
      { phase: "reading", bytesDone: 3 * 2 ** 30, stepBytes: 2 ** 30 },
    ],
    [
      "Verifying file data: 52 MiB of 52 MiB (100%) done",
      { phase: "verifying", bytesDone: 52 * 2 ** 20, stepBytes: 2 ** 20 },
    ],
    [
      "Calculating integrity table for WIM: 0 KiB of 3058 KiB (0%) done",
      { phase: "verifying", bytesDone: 0, stepBytes: 1024 },
    ],
    ['Scanning "src"', undefined],
    ["Using LZX compression with 2 threads", undefined],
    ["", undefined],
  ] as const) {
    it(`reads ${JSON.stringify(line)}`, () => assert.deepEqual(parseWimProgress(line), expected));
  }
});
