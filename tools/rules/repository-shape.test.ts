import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { describe, it } from "node:test";
import { measureShape, type RepositoryShape, type ShapeLimits, shapeProblems } from "./repository-shape.ts";

const limits: ShapeLimits = { maxRootNames: 40, maxLines: 400, maxFiles: 15, exceptions: {} };
const shape: RepositoryShape = {
  rootNames: [{ name: "@x/low", count: 40 }],
  lines: [{ name: "a/b.ts", count: 400 }],
  files: [{ name: "a", count: 15 }],
};

describe("measureShape", () => {
  it("counts names of API reports, lines and files, without tests and generated code", (t) => {
    const root = mkdtempSync(join(tmpdir(), "tercel-shape-"));
    t.after(() => rmSync(root, { recursive: true }));
    const write = (file: string, text: string): void => {
      mkdirSync(dirname(join(root, file)), { recursive: true });
      writeFileSync(join(root, file), text);
    };
    const exports = { ".": { source: "./src/index.ts" } };
    write("packages/low/package.json", JSON.stringify({ name: "@x/low", version: "1.0.0", exports }));
    write("packages/low/api/index.api.md", "# API of `@x/low`\n\nExported names: 7.\n");
    write("packages/low/src/index.ts", "1;\n2;\n3;\n");
    write("packages/low/src/other.ts", "1;");
    write("packages/low/src/index.test.ts", "1;\n".repeat(10));
    write("packages/low/src/gen/made.ts", "1;\n".repeat(10));
    write("packages/low/test/support.ts", "1;\n".repeat(10));
    assert.deepEqual(measureShape(root), {
      rootNames: [{ name: "@x/low", count: 7 }],
      lines: [
        { name: "packages/low/src/index.ts", count: 3 },
        { name: "packages/low/src/other.ts", count: 1 },
      ],
      files: [{ name: "packages/low/src", count: 2 }],
    });
  });
});

describe("shapeProblems", () => {
  it("reports nothing at the limits", () => {
    assert.deepEqual(shapeProblems(shape, limits), []);
  });

  it("names packages, files and folders above their limit", () => {
    const above: RepositoryShape = {
      rootNames: [{ name: "@x/low", count: 41 }],
      lines: [{ name: "a/b.ts", count: 401 }],
      files: [{ name: "a", count: 16 }],
    };
    assert.deepEqual(shapeProblems(above, limits), [
      "@x/low has 41 exported names, more than 40: split it",
      "a/b.ts has 401 lines, more than 400: split it",
      "a has 16 files, more than 15: split it",
    ]);
    const exceptions = { "@x/low": "r", "a/b.ts": "r", a: "r" };
    assert.deepEqual(shapeProblems(above, { ...limits, exceptions }), []);
  });

  it("names exceptions that are no longer needed", () => {
    assert.deepEqual(shapeProblems(shape, { ...limits, exceptions: { a: "one policy each" } }), [
      "a is within its limit: remove it from the exceptions in tools/shape.json",
    ]);
  });
});

it("this repository is within its limits", () => {
  const real = JSON.parse(readFileSync(join(import.meta.dirname, "..", "shape.json"), "utf8")) as ShapeLimits;
  assert.deepEqual(shapeProblems(measureShape(dirname(dirname(import.meta.dirname))), real), []);
});
