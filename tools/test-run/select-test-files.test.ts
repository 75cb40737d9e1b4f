import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { selectTestFiles } from "./select-test-files.ts";

test("finds the test files of every folder, without installed and built ones", (t) => {
  const root = mkdtempSync(join(tmpdir(), "tercel-select-"));
  t.after(() => rmSync(root, { recursive: true }));
  const files = ["soak/a.test.ts", "new-folder/deep/b.test.mjs", "packages/p/src/c.ts", "node_modules/d.test.js"];
  for (const file of [...files, "packages/p/dist/e.test.js", ".cache/f.test.ts"]) {
    mkdirSync(dirname(join(root, file)), { recursive: true });
    writeFileSync(join(root, file), "");
  }
  assert.deepEqual(selectTestFiles(root, []).files, ["new-folder/deep/b.test.mjs", "soak/a.test.ts"]);
  assert.deepEqual(selectTestFiles(root, ["deep", "nowhere"]).files, ["new-folder/deep/b.test.mjs"]);
});

test("omits long files unless they are named or requested", (t) => {
  const root = mkdtempSync(join(tmpdir(), "tercel-select-"));
  t.after(() => rmSync(root, { recursive: true }));
  writeFileSync(join(root, "short.test.ts"), 'const text = "// Long: no comment";\n');
  writeFileSync(join(root, "slow.test.ts"), "// Builds everything.\n// Long: it builds everything\n");
  assert.deepEqual(selectTestFiles(root, []), { files: ["short.test.ts"], leftOut: ["slow.test.ts"] });
  assert.deepEqual(selectTestFiles(root, [], true), { files: ["slow.test.ts"], leftOut: [] });
  assert.deepEqual(selectTestFiles(root, ["s"]), { files: ["short.test.ts", "slow.test.ts"], leftOut: [] });
  assert.deepEqual(selectTestFiles(root, ["short"], true), { files: [], leftOut: [] });
});
