import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { it } from "node:test";

// tools/packages/pack.test.ts runs it with the tercel that is published.
it("hands its arguments to the tercel that is installed next to it, as those of tercel new", (t) => {
  const folder = mkdtempSync(join(tmpdir(), "tercel-create-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  cpSync(join(import.meta.dirname, "../src/main.ts"), join(folder, "main.ts"));
  const installed = join(folder, "node_modules/tercel");
  mkdirSync(join(installed, "dist"), { recursive: true });
  const manifest = {
    name: "tercel",
    type: "module",
    bin: { tercel: "./dist/main.js" },
    exports: { "./package.json": "./package.json" },
  };
  writeFileSync(join(installed, "package.json"), JSON.stringify(manifest));
  writeFileSync(
    join(installed, "dist/main.js"),
    "console.log(JSON.stringify(process.argv.slice(2))); process.exitCode = 3;",
  );
  const args = ["main.ts", "user-service", "--with-cache=redis"];
  const { status, stdout } = spawnSync(process.execPath, args, { cwd: folder, encoding: "utf8" });
  assert.deepEqual([status, JSON.parse(stdout)], [3, ["new", "user-service", "--with-cache=redis"]]);
});
