import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { describe, it } from "node:test";
import { listFiles } from "../source-files.ts";
import { type LockedPackages, missingOptionalPackages, pathsWithoutIntegrity } from "./complete-lockfile.ts";

const root = dirname(dirname(import.meta.dirname));

describe("missingOptionalPackages", () => {
  it("finds packages that are named but not locked, with the platform in their name", () => {
    const missing = missingOptionalPackages({
      "node_modules/tool": {
        dev: true,
        optionalDependencies: {
          "@tool/cli-linux-x64": "1.2.3",
          "@tool/cli-linux-arm64-musl": "1.2.3",
          "@tool/cli-win32-x64": "1.2.3",
        },
      },
      "node_modules/@tool/cli-linux-x64": { version: "1.2.3" },
    });
    assert.deepEqual(
      [...missing],
      [
        [
          "node_modules/@tool/cli-linux-arm64-musl",
          { version: "1.2.3", dev: true, optional: true, os: ["linux"], cpu: ["arm64"], libc: ["musl"] },
        ],
        [
          "node_modules/@tool/cli-win32-x64",
          { version: "1.2.3", dev: true, optional: true, os: ["win32"], cpu: ["x64"] },
        ],
      ],
    );
  });

  it("refuses a package without a platform in its name", () => {
    assert.throws(
      () => missingOptionalPackages({ a: { optionalDependencies: { fast: "1.0.0" } } }),
      /fast does not say/,
    );
  });

  it("finds nothing in this repository: npm ci would refuse the lock file (npm run complete-lockfile fixes it)", () => {
    assert.deepEqual([...missingOptionalPackages(readLockedPackages("package-lock.json")).keys()], []);
  });
});

describe("pathsWithoutIntegrity", () => {
  it("finds packages of a registry without a hash, nested ones included, and none of this workspace", () => {
    const paths = pathsWithoutIntegrity({
      "": {},
      "packages/ours": { version: "1.0.0" },
      "node_modules/ours": { link: true },
      "node_modules/verified": { version: "1.0.0", integrity: "sha512-x" },
      "node_modules/unverified": { version: "1.0.0" },
      "packages/ours/node_modules/unverified": { version: "2.0.0" },
    });
    assert.deepEqual(paths, ["node_modules/unverified", "packages/ours/node_modules/unverified"]);
  });

  it("finds nothing in this repository: npm could not verify the download (npm run complete-lockfile fixes it)", () => {
    const files = listFiles(root).filter((file) => basename(file) === "package-lock.json");
    assert.ok(files.includes("package-lock.json"));
    for (const file of files) assert.deepEqual(pathsWithoutIntegrity(readLockedPackages(file)), [], file);
  });
});

function readLockedPackages(file: string): LockedPackages {
  return JSON.parse(readFileSync(join(root, file), "utf8")).packages;
}
