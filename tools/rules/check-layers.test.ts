import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, it } from "node:test";
import { checkLayers } from "./check-layers.ts";
import { parseLayerTable } from "./layer-table.ts";

const table = parseLayerTable(
  JSON.stringify({
    floors: [
      "packages/low/src/base/**",
      ["packages/low/src/left/**", "packages/low/src/right/**"],
      "packages/low/src/*",
      "packages/high/src/[feature]/**",
      "packages/high/src/*",
      "packages/program/src/**",
      "packages/high/test/**",
      ["scripts/**", "probes/**"],
    ],
    developmentOnly: ["scripts/**", "probes/**"],
    insiders: ["probes/**"],
    bundled: ["packages/program/src/**"],
    reservedModules: [
      { module: "node:net", within: "packages/low/**", only: ["packages/low/src/right/**"] },
      { module: "@x/low", within: "packages/high/**", only: ["packages/high/src/door/**"] },
    ],
    reservedWords: [{ word: "Secret", notIn: "packages/low/src/**" }],
  }),
);

const manifests = {
  "package.json": JSON.stringify({ name: "root", devDependencies: { "root-tool": "1" } }),
  "packages/low/package.json": JSON.stringify({
    name: "@x/low",
    exports: { ".": { source: "./src/index.ts" }, "./right": { source: "./src/right/index.ts" } },
    dependencies: { outside: "1" },
    devDependencies: { "only-dev": "1" },
  }),
  "packages/high/package.json": JSON.stringify({
    name: "@x/high",
    exports: { ".": { source: "./src/index.ts" } },
    dependencies: { "@x/low": "1" },
    peerDependencies: { "optional-peer": "1" },
  }),
  "packages/program/package.json": JSON.stringify({
    name: "program",
    bin: { program: "./dist/main.js" },
    devDependencies: { "@x/low": "1", "in-bundle": "1" },
  }),
};

describe("checkLayers", () => {
  let root = "";
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), "tercel-layers-"));
  });
  afterEach(() => {
    rmSync(root, { recursive: true });
  });

  function findings(files: Record<string, string>): string[] {
    for (const [path, text] of Object.entries({ ...manifests, ...files })) {
      mkdirSync(dirname(join(root, path)), { recursive: true });
      writeFileSync(join(root, path), text);
    }
    return checkLayers(root, table).map(({ file, line, text }) => `${file}:${line}: ${text}`);
  }

  function assertOnly(found: readonly string[], ...expected: RegExp[]): void {
    assert.equal(found.length, expected.length, found.join("\n"));
    expected.forEach((pattern, index) => {
      assert.match(found[index] ?? "", pattern);
    });
  }

  it("accepts imports that lead down, stay in their folder or are declared", () => {
    const found = findings({
      "packages/low/src/base/a.ts": 'import "node:fs"; import "./b.ts";',
      "packages/low/src/base/b.ts": 'import "outside/sub";',
      "packages/low/src/left/index.ts": 'import "../base/a.ts";',
      "packages/low/src/right/index.ts": 'import "node:net";',
      "packages/low/src/index.ts": 'export * from "./left/index.ts";',
      "packages/high/src/door/x.ts": 'import "@x/low"; import "@x/low/right"; import "optional-peer";',
      "packages/high/src/index.ts": 'import "./door/x.ts";',
    });
    assert.deepEqual(found, []);
  });

  it("reports an upward import inside a package", () => {
    const found = findings({
      "packages/low/src/base/a.ts": '\nimport type { B } from "../right/b.ts";',
      "packages/low/src/right/b.ts": "export interface B {}",
    });
    assertOnly(found, /^packages\/low\/src\/base\/a\.ts:2: upward import: .*right, which is above it/);
  });

  it("reports an upward import between packages, in tests as well", () => {
    const found = findings({
      "packages/low/package.json": JSON.stringify({ name: "@x/low", dependencies: { "@x/high": "1" } }),
      "packages/low/src/base/a.test.ts": 'import "@x/high";',
      "packages/high/src/index.ts": "",
    });
    assertOnly(found, /a\.test\.ts:1: upward import: /);
  });

  it("reports a sideways import", () => {
    const found = findings({
      "packages/low/src/right/a.ts": 'import "../left/b.ts";',
      "packages/low/src/left/b.ts": "",
    });
    assertOnly(found, /right\/a\.ts:1: sideways import: .* share a floor/);
  });

  it("reports an import between two folders of one bracket row", () => {
    const found = findings({
      "packages/high/src/cache/a.ts": 'import "../logging/b.ts";',
      "packages/high/src/logging/b.ts": "",
    });
    assertOnly(found, /cache\/a\.ts:1: sideways import: packages\/high\/src\/cache and packages\/high\/src\/logging/);
  });

  it("lets a test import any layer of its own package", () => {
    const found = findings({
      "packages/low/src/base/a.test.ts": 'import "../right/b.ts"; import "node:net";',
      "packages/low/src/right/b.ts": "",
    });
    assert.deepEqual(found, []);
  });

  it("reports an outside package that is not declared", () => {
    const found = findings({ "packages/high/src/door/a.ts": 'await import("lodash/fp");' });
    assertOnly(found, /door\/a\.ts:1: lodash is not declared in packages\/high\/package\.json/);
  });

  it("accepts a devDependency in code that is published as a bundle, and nowhere else", () => {
    const found = findings({
      "packages/low/src/index.ts": "",
      "packages/program/src/main.ts": 'import "in-bundle"; import "@x/low";\nimport "unknown";',
    });
    assertOnly(found, /program\/src\/main\.ts:2: unknown is not declared/);
  });

  it("reports a devDependency in code that users install, and allows it in tests", () => {
    const found = findings({
      "packages/low/src/base/a.ts": 'import "only-dev";',
      "packages/low/src/base/a.test.ts": 'import "only-dev"; import "root-tool";',
    });
    assertOnly(found, /base\/a\.ts:1: only-dev is only a devDependency/);
  });

  it("lets code that is never published use devDependencies and the workspace's packages", () => {
    const found = findings({
      "scripts/a.ts": 'import "root-tool"; import "@x/low"; import "outside"; import(name);',
      "packages/low/src/index.ts": "",
    });
    assert.deepEqual(found, []);
  });

  it("lets insiders import files that no entry point exports, and no other folder", () => {
    const files = {
      "packages/low/src/base/b.ts": "export {};",
      "probes/a.ts": 'import "../packages/low/src/base/b.ts";',
      "scripts/a.ts": 'import "../packages/low/src/base/b.ts";',
    };
    assertOnly(findings(files), /^scripts\/a\.ts:1: .* reaches into @x\/low/);
  });

  it("reports a deep import into another package, by path and by name", () => {
    const found = findings({
      "packages/high/src/door/a.ts": 'import "../../../low/src/base/b.ts";\nimport "@x/low/src/base/b.ts";',
      "packages/low/src/base/b.ts": "",
    });
    assertOnly(
      found,
      /door\/a\.ts:1: \.\.\/\.\.\/\.\.\/low\/src\/base\/b\.ts reaches into @x\/low/,
      /door\/a\.ts:2: @x\/low\/src\/base\/b\.ts is not an entry point of @x\/low; import one of: @x\/low, @x\/low\/right/,
    );
  });

  it("reports a reserved module outside the folder that owns it", () => {
    const found = findings({
      "packages/low/src/base/a.ts": 'import "net";',
      "packages/high/src/other/b.ts": 'import "@x/low/right";',
      "packages/low/src/right/index.ts": "",
    });
    assertOnly(found, /other\/b\.ts:1: @x\/low is reserved for/, /base\/a\.ts:1: node:net is reserved for/);
  });

  it("reports a reserved word in any case, in comments and tests too", () => {
    const found = findings({
      "packages/low/src/base/a.ts": "// one\n// a SECRET\n",
      "packages/low/src/base/a.test.ts": "const secrets = 1;",
    });
    assertOnly(found, /a\.test\.ts:1: the word "secret"/, /a\.ts:2: the word "secret"/);
  });

  it("reports a cycle of value imports once, with its path", () => {
    const found = findings({
      "packages/low/src/base/a.ts": '\n\nimport "./b.ts";',
      "packages/low/src/base/b.ts": 'import "./c.ts";',
      "packages/low/src/base/c.ts": 'import "./a.ts";',
    });
    assertOnly(found, /base\/a\.ts:3: import cycle: \S+a\.ts → \S+b\.ts → \S+c\.ts → \S+a\.ts;/);
  });

  it("reports a cycle of type imports and a file that imports itself", () => {
    const found = findings({
      "packages/low/src/base/a.ts": 'import type { B } from "./b.ts";',
      "packages/low/src/base/b.ts": 'import type { A } from "./a.ts";',
      "packages/low/src/base/c.ts": 'import "./c.ts";',
    });
    assertOnly(found, /base\/a\.ts:1: import cycle/, /base\/c\.ts:1: import cycle: \S+c\.ts → \S+c\.ts;/);
  });

  it("reports a folder without a row, once", () => {
    const found = findings({ "packages/low/src/new/a.ts": "", "packages/low/src/new/b.ts": "" });
    assertOnly(found, /new\/a\.ts:1: no row of tools\/layers\.json names packages\/low\/src\/new\//);
  });

  it("reports a dynamic import of a computed name in code that users install", () => {
    const found = findings({ "packages/low/src/base/a.ts": "await import(name);" });
    assertOnly(found, /base\/a\.ts:1: import\(\) of a computed name/);
  });

  it("ignores node_modules, dist and hidden folders", () => {
    const found = findings({
      "packages/low/node_modules/x/index.js": 'import "nothing";',
      "packages/low/dist/index.js": 'import "nothing";',
      ".cache/a.ts": 'import "nothing";',
    });
    assert.deepEqual(found, []);
  });

  it("finds nothing in this repository", () => {
    const real = parseLayerTable(readFileSync(join(import.meta.dirname, "..", "layers.json"), "utf8"));
    const found = checkLayers(dirname(dirname(import.meta.dirname)), real);
    assert.deepEqual(
      found.map(({ file, line, text }) => `${file}:${line}: ${text}`),
      [],
    );
  });
});
