import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, it } from "node:test";
import { buildProgram, programFolderVariable } from "./built-programs.ts";
import { bundleProgram } from "./bundled-programs.ts";

describe("a program that tests start again and again", () => {
  const before = process.env[programFolderVariable];
  let folder = "";
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "tercel-programs-"));
    process.env[programFolderVariable] = join(folder, "built");
  });
  afterEach(() => {
    if (before === undefined) delete process.env[programFolderVariable];
    else process.env[programFolderVariable] = before;
    rmSync(folder, { recursive: true });
  });

  it("is built once, for every user", () => {
    let builds = 0;
    const build = (target: string): void => {
      builds++;
      writeFileSync(join(target, "main.js"), "");
    };
    const built = buildProgram("program", build);
    assert.equal(buildProgram("program", build), built);
    assert.equal(builds, 1);
    assert.ok(existsSync(join(built, "main.js")));
    assert.equal(statSync(built).mode & 0o777, 0o755);
    assert.notEqual(buildProgram("another", build), built);
  });

  it("is built again when it could not be built", () => {
    const fails = (): never => {
      throw new Error("no");
    };
    assert.throws(() => buildProgram("program", fails), /no/);
    assert.ok(existsSync(buildProgram("program", () => {})));
  });

  it("finds its files where its sources are, also when it is bundled, and loads on demand what its sources do", () => {
    writeFileSync(join(folder, "greeting.txt"), "hello");
    writeFileSync(
      join(folder, "read.ts"),
      `import { readFileSync } from "node:fs";
       export const read = (name: string): string => readFileSync(new URL(name, import.meta.url), "utf8");`,
    );
    writeFileSync(
      join(folder, "main.ts"),
      `const { read } = await import("./read.ts");
       console.log(read("greeting.txt"), import.meta.dirname, process.argv.slice(2).join());`,
    );
    const bundle = bundleProgram(join(folder, "main.ts"));
    assert.equal(bundleProgram(join(folder, "main.ts")), bundle);
    rmSync(join(folder, "read.ts"));
    const said = execFileSync(process.execPath, [bundle, "a", "b"], { encoding: "utf8", cwd: tmpdir() });
    assert.equal(said, `hello ${folder} a,b\n`);
  });
});
