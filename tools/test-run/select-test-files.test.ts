import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { selectTestFiles } from "./select-test-files.ts";

test("finds the test files of every folder there is, and none of what was installed or built", (t) => {
  const root = mkdtempSync(join(tmpdir(), "tercel-select-"));
  t.after(() => rmSync(root, { recursive: true }));
  const files = ["soak/a.test.ts", "new-folder/deep/b.test.mjs", "packages/p/src/c.ts", "node_modules/d.test.js"];
  for (const file of [...files, "packages/p/dist/e.test.js", ".cache/f.test.ts"]) {
    mkdirSync(dirname(join(root, file)), { recursive: true });
    writeFileSync(join(root, file), "");
  }
  assert.deepEqual(selectTestFiles(root, []), ["new-folder/deep/b.test.mjs", "soak/a.test.ts"]);
  assert.deepEqual(selectTestFiles(root, ["deep", "nowhere"]), ["new-folder/deep/b.test.mjs"]);
});
