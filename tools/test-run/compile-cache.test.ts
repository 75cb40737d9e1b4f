import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, it } from "node:test";
import { openCompileCache } from "./compile-cache.ts";

describe("the compile cache", () => {
  let folder = "";
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "tercel-compile-cache-"));
  });
  afterEach(() => {
    rmSync(folder, { recursive: true });
  });

  function fill(entries: number): string {
    const full = join(folder, "compiled");
    mkdirSync(full);
    for (let at = 0; at < entries; at++) writeFileSync(join(full, String(at)), "");
    return full;
  }

  it("is the folder in the environment variable, if there is one", () => {
    assert.equal(openCompileCache(folder), folder);
    assert.notEqual(openCompileCache(""), "");
  });

  it("is kept up to its limit of entries, and emptied above it", () => {
    const full = fill(5);
    assert.equal(openCompileCache("", { folder: full, maxEntries: 5 }), full);
    assert.equal(readdirSync(full).length, 5);
    assert.equal(openCompileCache("", { folder: full, maxEntries: 4 }), full);
    assert.equal(existsSync(full), false);
    assert.equal(openCompileCache("", { folder: full, maxEntries: 4 }), full);
  });

  it("is filled by Node with the files that it runs", () => {
    const cache = openCompileCache(undefined, { folder: join(folder, "compiled") });
    const program = join(folder, "program.ts");
    writeFileSync(program, "const outcome: string = 'ran'; console.log(outcome);");
    const { stdout } = spawnSync(process.execPath, [program], {
      encoding: "utf8",
      env: { ...process.env, NODE_COMPILE_CACHE: cache },
    });
    assert.equal(stdout, "ran\n");
    assert.ok(readdirSync(cache, { recursive: true }).length > 1);
  });
});
