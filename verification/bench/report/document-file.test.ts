import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { UsageError } from "../options.ts";
import type { BenchDocument } from "./document.ts";
import { readDocument, writeDocument } from "./document-file.ts";

const folder = mkdtempSync(join(tmpdir(), "tercel-bench-"));
after(() => rmSync(folder, { recursive: true }));

const document: BenchDocument = {
  cases: [],
  skippedCases: [],
  skippedPeers: [],
  notes: [],
  commit: "1a2b3c4",
  date: "2026-12-01",
  options: { rounds: 1, seconds: 3 },
  versions: { tercel: "0.1.0" },
  machine: { cpu: "A CPU", cores: 2, memoryBytes: 1, kernel: "6.1" },
};

test("gives back what was written, over what was there, and leaves no other file", () => {
  const file = join(folder, "sub", "run.json");
  writeDocument(file, document);
  writeDocument(file, { ...document, commit: "5d6e7f8" });
  assert.deepEqual(readDocument(file), { ...document, commit: "5d6e7f8" });
  assert.deepEqual(readdirSync(join(folder, "sub")), ["run.json"]);
});

test("refuses a file that is missing, cut off or something else, by its name", () => {
  const file = join(folder, "other.json");
  for (const text of [undefined, '{"cases": [', '{"cases": 1}', "null", "[]"]) {
    if (text !== undefined) writeFileSync(file, text);
    assert.throws(
      () => readDocument(file),
      (error) => error instanceof UsageError && error.message.includes(file),
      text,
    );
  }
});
