import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { publishedManifest } from "./published-manifest.ts";

describe("publishedManifest", () => {
  it("has no condition for sources, and keeps the others in their order", () => {
    const manifest = {
      name: "@x/low",
      exports: {
        ".": { source: "./src/index.ts", types: "./dist/index.d.ts", default: "./dist/index.js" },
        "./package.json": "./package.json",
      },
    };
    assert.equal(
      JSON.stringify(publishedManifest(manifest)),
      JSON.stringify({
        name: "@x/low",
        exports: {
          ".": { types: "./dist/index.d.ts", default: "./dist/index.js" },
          "./package.json": "./package.json",
        },
      }),
    );
  });

  it("has no scripts and no devDependencies, and does not change the original manifest", () => {
    const manifest = { name: "x", scripts: { prepack: "no" }, devDependencies: { y: "1" }, dependencies: { z: "1" } };
    assert.deepEqual(publishedManifest(manifest), { name: "x", dependencies: { z: "1" } });
    assert.deepEqual(Object.keys(manifest), ["name", "scripts", "devDependencies", "dependencies"]);
  });
});
