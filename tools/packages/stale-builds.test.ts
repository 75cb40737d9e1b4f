import assert from "node:assert/strict";
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { describe, it } from "node:test";
import { removeStaleBuilds } from "./stale-builds.ts";

describe("removeStaleBuilds", () => {
  it("removes all code, and the declarations of deleted sources, and nothing else", (t) => {
    const folder = mkdtempSync(join(tmpdir(), "tercel-stale-builds-"));
    t.after(() => rmSync(folder, { recursive: true }));
    const write = (file: string): void => {
      mkdirSync(dirname(join(folder, file)), { recursive: true });
      writeFileSync(join(folder, file), "");
    };
    const kept = ["dist/.tsbuildinfo", "dist/a/kept.d.ts", "dist/a/kept.d.ts.map"];
    const stale = ["a/gone.d.ts", "a/gone.d.ts.map", "a/kept.js", "a/kept.js.map", "chunks/A1B2.js"];
    for (const file of ["src/a/kept.ts", ...kept, ...stale.map((one) => `dist/${one}`)]) write(file);

    assert.deepEqual(removeStaleBuilds(folder), stale);
    for (const file of stale) assert.ok(!existsSync(join(folder, "dist", file)), file);
    for (const file of kept) assert.ok(existsSync(join(folder, file)), file);
  });
});
