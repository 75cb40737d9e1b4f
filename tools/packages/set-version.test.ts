import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, it } from "node:test";
import { setVersion } from "./set-version.ts";

const files = {
  "package.json": { name: "workspace", version: "0.1.0", devDependencies: { "@x/low": "0.1.0", other: "0.1.0" } },
  "packages/low/package.json": { name: "@x/low", version: "0.1.0" },
  "packages/high/package.json": { name: "@x/high", version: "0.1.0", dependencies: { "@x/low": "0.1.0" } },
  "fuzz/package.json": { name: "of-its-own", version: "0.1.0" },
  "package-lock.json": {
    name: "workspace",
    version: "0.1.0",
    packages: {
      "": { name: "workspace", version: "0.1.0", devDependencies: { "@x/low": "0.1.0", other: "0.1.0" } },
      "packages/low": { name: "@x/low", version: "0.1.0" },
      "packages/high": { name: "@x/high", version: "0.1.0", dependencies: { "@x/low": "0.1.0" } },
      "node_modules/other": { version: "0.1.0", integrity: "sha512-x" },
    },
  },
};
const userAgent = "packages/grpc/src/protocol/user-agent.ts";

describe("setVersion", () => {
  let root = "";

  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), "tercel-set-version-"));
    for (const [file, content] of Object.entries(files)) write(file, JSON.stringify(content));
    write(userAgent, 'export const userAgent = "grpc-tercel/0.1.0";\n');
  });
  afterEach(() => {
    rmSync(root, { recursive: true });
  });

  function write(file: string, text: string): void {
    mkdirSync(dirname(join(root, file)), { recursive: true });
    writeFileSync(join(root, file), text);
  }

  function read(file: string): string {
    return readFileSync(join(root, file), "utf8");
  }

  it("changes the packages of the workspace, their dependencies on each other, the lock file and the user agent", () => {
    setVersion(root, "0.2.0-beta.1");
    for (const [file, content] of Object.entries(files)) {
      if (file === "fuzz/package.json") continue;
      const expected = JSON.stringify(content)
        .replaceAll('"0.1.0"', '"0.2.0-beta.1"')
        // Packages from a registry keep their version.
        .replace('"other":"0.2.0-beta.1"', '"other":"0.1.0"')
        .replace('"node_modules/other":{"version":"0.2.0-beta.1"', '"node_modules/other":{"version":"0.1.0"');
      assert.equal(JSON.stringify(JSON.parse(read(file))), expected, file);
    }
    assert.equal(read(userAgent), 'export const userAgent = "grpc-tercel/0.2.0-beta.1";\n');
  });

  it("does not change packages outside of the workspace", () => {
    setVersion(root, "0.2.0");
    assert.equal(read("fuzz/package.json"), JSON.stringify(files["fuzz/package.json"]));
  });

  it("refuses an invalid version before it changes anything", () => {
    for (const version of ["", "1.2", "v1.2.3", "latest", "1.2.3 "]) {
      assert.throws(() => setVersion(root, version), /invalid version ".*": expected three numbers/);
    }
    assert.equal(read("package.json"), JSON.stringify(files["package.json"]));
  });
});
