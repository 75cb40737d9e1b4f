import assert from "node:assert/strict";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, it } from "node:test";
import { pathToFileURL } from "node:url";
import { buildPackages } from "./build-packages.ts";

describe("buildPackages", () => {
  let root = "";
  let folder = "";
  const write = (file: string, text: string): void => {
    mkdirSync(dirname(join(folder, file)), { recursive: true });
    writeFileSync(join(folder, file), text);
  };

  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), "tercel-build-packages-"));
    folder = join(root, "packages/low");
    const exports = { ".": { source: "./src/index.ts" }, "./parts": { source: "./src/parts/index.ts" } };
    write("package.json", JSON.stringify({ name: "@x/low", type: "module", exports, bin: { low: "./dist/main.js" } }));
    const compilerOptions = {
      composite: true,
      emitDeclarationOnly: true,
      rootDir: "src",
      outDir: "dist",
      module: "nodenext",
      target: "esnext",
      rewriteRelativeImportExtensions: true,
      types: [],
    };
    write("tsconfig.json", JSON.stringify({ compilerOptions, include: ["src"] }));
    write("src/shared.ts", "export class Shared {}\n");
    write("src/index.ts", 'export { Shared } from "./shared.ts";\nexport const one: number = 1;\n');
    write("src/parts/index.ts", 'export { Shared } from "../shared.ts";\n');
    write("src/main.ts", '#!/usr/bin/env node\nimport { one } from "./index.ts";\nvoid one;\n');
    symlinkSync(join(dirname(dirname(import.meta.dirname)), "node_modules"), join(root, "node_modules"));
  });
  afterEach(() => {
    rmSync(root, { recursive: true });
  });

  it("writes a file for each entry point and program, and one copy of shared code", async () => {
    buildPackages(root);
    const load = (file: string) => import(pathToFileURL(join(folder, "dist", file)).href);
    const [index, parts] = [await load("index.js"), await load("parts/index.js")];
    assert.equal(index.one, 1);
    assert.equal(index.Shared, parts.Shared);
    assert.ok(existsSync(join(folder, "dist/main.js")) && existsSync(join(folder, "dist/parts/index.d.ts")));
    assert.ok(!existsSync(join(folder, "dist/shared.js")));
  });

  it("removes the code of an earlier build", () => {
    buildPackages(root);
    const before = readdirSync(join(folder, "dist/chunks"));
    write("src/shared.ts", "export class Shared { readonly two = 2; }\n");
    write("dist/shared.js", "");
    buildPackages(root);
    const chunks = readdirSync(join(folder, "dist/chunks"));
    assert.equal(chunks.length, before.length);
    assert.notDeepEqual(chunks, before);
    assert.ok(!existsSync(join(folder, "dist/shared.js")));
  });

  it("fails when a package does not compile", () => {
    write("src/index.ts", 'export const one: number = "1";\n');
    assert.throws(() => buildPackages(root), /^Error: the packages do not compile: fix what tsc reports above$/);
  });

  it("fails when a file is missing that the compiler considers built", () => {
    buildPackages(root);
    rmSync(join(folder, "dist/index.d.ts"));
    assert.throws(() => buildPackages(root), /@x\/low is not built, packages\/low\/dist\/index\.d\.ts is missing/);
  });

  it("fails when the compiler is not installed", () => {
    rmSync(join(root, "node_modules"));
    assert.throws(() => buildPackages(root), /the compiler is not installed: run npm ci/);
  });
});
