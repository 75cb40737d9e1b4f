import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { missingOptionalPackages } from "./complete-lockfile.ts";

describe("missingOptionalPackages", () => {
  it("finds what is named and not locked, with the platform its name says", () => {
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

  it("refuses a package that does not say its platform", () => {
    assert.throws(
      () => missingOptionalPackages({ a: { optionalDependencies: { fast: "1.0.0" } } }),
      /fast does not say/,
    );
  });

  it("finds nothing in this repository: npm ci would refuse the lock file (npm run complete-lockfile mends it)", () => {
    const lock = JSON.parse(readFileSync(join(import.meta.dirname, "../package-lock.json"), "utf8"));
    assert.deepEqual([...missingOptionalPackages(lock.packages).keys()], []);
  });
});
