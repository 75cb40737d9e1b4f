import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, it } from "node:test";
import { compareReports, createReports, packageReports, type Reports } from "./api-reports.ts";
import type { EntryDeclarations } from "./declarations.ts";

const manifest = {
  name: "@x/low",
  version: "1.0.0",
  type: "module",
  exports: { ".": { source: "./src/index.ts" }, "./parts/one": { source: "./src/parts/one.ts" } },
};

const index = `
import { Duplex } from "node:stream";
import type { Hidden } from "./hidden.ts";
export { type Shared } from "./parts/one.ts";
/** A comment. */
export interface Options {
    limit?: number;
    hidden?: Hidden;
}
export declare function open(options: Options): Duplex;
export declare class Server {
    #secret;
    private inner;
    listen(port: number): void;
}
`;
const hidden = "export interface Hidden {\n    depth: number;\n}\n";

describe("API reports of built packages", () => {
  let root = "";

  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), "tercel-api-reports-"));
    symlinkSync(join(dirname(dirname(import.meta.dirname)), "node_modules"), join(root, "node_modules"));
    mkdirSync(join(root, "packages/low/dist/parts"), { recursive: true });
    writeFileSync(join(root, "packages/low/package.json"), JSON.stringify(manifest));
    write("index", index);
    write("hidden", hidden);
    write("parts/one", "export interface Shared {\n    name: string;\n}\n");
  });
  afterEach(() => {
    rmSync(root, { recursive: true });
  });

  function write(file: string, text: string): void {
    writeFileSync(join(root, `packages/low/dist/${file}.d.ts`), text);
  }

  /** Returns how a change of one declaration file changes the reports. */
  function differenceAfter(file: string, text: string): string {
    const before = createReports(root);
    write(file, text);
    return compareReports(before, createReports(root));
  }

  it("there is one for each entry point, with signatures and members, and one for types that are not exported", () => {
    const reports = createReports(root);
    assert.deepEqual(
      [...reports.keys()],
      ["packages/low/api/index.api.md", "packages/low/api/parts/one.api.md", "packages/low/api/unexported.api.md"],
    );
    assert.equal(
      reports.get("packages/low/api/index.api.md"),
      `# API of \`@x/low\`

Exported names: 4.
\`npm run check:api -- --update\` writes this file; do not edit it.

\`\`\`typescript
import { Duplex } from 'node:stream';

export function open(options: Options): Duplex;

export interface Options {
    hidden?: Hidden;
    limit?: number;
}

export class Server {
    listen(port: number): void;
}

export interface Shared {
    name: string;
}
\`\`\`
`,
    );
    assert.match(reports.get("packages/low/api/unexported.api.md") ?? "", /Names: 1\.[\s\S]*interface Hidden/);
  });

  it("do not change with comments and private members", () => {
    const changed = index.replace("A comment.", "Another.").replace("private inner", "private outer");
    assert.equal(differenceAfter("index", changed), "");
  });

  it("show a changed signature", () => {
    const difference = differenceAfter("index", index.replace("open(options: Options)", "open(options?: Options)"));
    assert.match(difference, /^-export function open\(options: Options\): Duplex;$/m);
    assert.match(difference, /^\+export function open\(options\?: Options\): Duplex;$/m);
  });

  it("show a changed member, even of a type that is not exported", () => {
    assert.match(differenceAfter("index", index.replace("port: number", "port: string")), /^\+.*port: string/m);
    assert.match(differenceAfter("hidden", hidden.replace("number", "bigint")), /^\+.*depth: bigint;$/m);
  });

  it("show a new export, and the new count", () => {
    const difference = differenceAfter("index", `${index}\nexport declare const added: string;`);
    assert.match(difference, /^\+export const added: string;$/m);
    assert.match(difference, /^-Exported names: 4\.\n\+Exported names: 5\.$/m);
  });

  it("refuse a package that is not built", () => {
    rmSync(join(root, "packages/low/dist/parts/one.d.ts"));
    assert.throws(() => createReports(root), /@x\/low\/parts\/one is not built, .* run npm run build/);
  });

  it("refuse declarations with missing imports, because the report would be incomplete", () => {
    write("hidden", 'export { Hidden } from "./missing.ts";');
    assert.throws(() => createReports(root), /import \.\/missing\.ts, which is missing/);
  });
});

describe("packageReports", () => {
  const interfaceA = { name: "A", isExported: false, text: "interface A {\n}" };

  function reportsOf(entries: Record<string, EntryDeclarations["declarations"]>): Reports {
    const read = Object.entries(entries).map(([name, declarations]) => [name, { imports: [], declarations }] as const);
    return packageReports("x", new Map(read));
  }

  it("count an overloaded function once", () => {
    const overloads = ["a: string", "a: number"].map((parameter) => ({
      name: "f",
      isExported: true,
      text: `export function f(${parameter}): void;`,
    }));
    assert.match(reportsOf({ x: overloads }).get("index.api.md") ?? "", /Exported names: 1\./);
  });

  it("do not list a type as unexported if another entry point exports it", () => {
    const reports = reportsOf({
      x: [interfaceA],
      "x/a": [{ ...interfaceA, isExported: true, text: "export interface A {\n}" }],
    });
    assert.deepEqual([...reports.keys()], ["index.api.md", "a.api.md"]);
  });

  it("show a type once that several entry points do not export", () => {
    const report = reportsOf({ x: [interfaceA], "x/a": [interfaceA] }).get("unexported.api.md") ?? "";
    assert.equal(report.split("interface A").length, 2);
  });
});

describe("compareReports", () => {
  it("finds nothing between equal reports", () => {
    assert.equal(compareReports(new Map([["a.api.md", "a\n"]]), new Map([["a.api.md", "a\n"]])), "");
  });

  it("finds a report that is not committed, and one whose entry point was removed", () => {
    const difference = compareReports(new Map([["gone.api.md", "old\n"]]), new Map([["new.api.md", "new\n"]]));
    assert.match(difference, /^--- gone\.api\.md\tcommitted\n\+\+\+ \/dev\/null\tnow\n[\s\S]*^-old$/m);
    assert.match(difference, /^--- \/dev\/null\tcommitted\n\+\+\+ new\.api\.md\tnow\n[\s\S]*^\+new$/m);
  });
});
