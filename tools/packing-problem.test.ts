import assert from "node:assert/strict";
import { existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, it } from "node:test";
import { packingProblem } from "./packing-problem.ts";

describe("packingProblem", () => {
  let root = "";
  let folder = "";

  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), "tercel-packing-problem-"));
    folder = join(root, "packages/low");
    mkdirSync(join(folder, "src"), { recursive: true });
    const manifest = { name: "@x/low", type: "module", exports: { ".": { source: "./src/index.ts" } } };
    writeFileSync(join(folder, "package.json"), JSON.stringify(manifest));
    const compilerOptions = { composite: true, rootDir: "src", outDir: "dist", module: "nodenext", types: [] };
    writeFileSync(join(folder, "tsconfig.json"), JSON.stringify({ compilerOptions, include: ["src"] }));
    writeFileSync(join(folder, "src/index.ts"), "export const one: number = 1;\n");
    symlinkSync(join(dirname(import.meta.dirname), "node_modules"), join(root, "node_modules"));
  });
  afterEach(() => {
    rmSync(root, { recursive: true });
  });

  it("builds a package that compiles, and finds nothing wrong", () => {
    assert.equal(packingProblem(root, folder), undefined);
    assert.ok(existsSync(join(folder, "dist/index.js")) && existsSync(join(folder, "dist/index.d.ts")));
  });

  it("is that the package does not compile", () => {
    writeFileSync(join(folder, "src/index.ts"), 'export const one: number = "1";\n');
    assert.equal(packingProblem(root, folder), "@x/low does not compile: fix what tsc reports above");
  });

  it("is that a file which the compiler holds for built is missing", () => {
    packingProblem(root, folder);
    rmSync(join(folder, "dist/index.d.ts"));
    assert.match(packingProblem(root, folder) ?? "", /^@x\/low is not built, dist\/index\.d\.ts is missing/);
  });

  it("is that the compiler is not installed", () => {
    rmSync(join(root, "node_modules"));
    assert.match(packingProblem(root, folder) ?? "", /^the compiler is not installed: run npm ci/);
  });

  it("is that the folder is not a public package", () => {
    assert.match(packingProblem(root, root) ?? "", /is not the folder of a public package$/);
  });
});
