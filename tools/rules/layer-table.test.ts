import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { matchedFolder, parseLayerTable, placeOf } from "./layer-table.ts";

describe("matchedFolder", () => {
  it("matches one star with the folder itself, and two stars with the folders below", () => {
    assert.equal(matchedFolder("a/b/*", "a/b/x.ts"), "a/b");
    assert.equal(matchedFolder("a/b/*", "a/b/c/x.ts"), undefined);
    assert.equal(matchedFolder("a/b/**", "a/b/x.ts"), "a/b");
    assert.equal(matchedFolder("a/b/**", "a/b/c/x.ts"), "a/b");
    assert.equal(matchedFolder("a/b/**", "a/bc/x.ts"), undefined);
    assert.equal(matchedFolder("a/b/**", "a/x.ts"), undefined);
  });

  it("matches a bracket with any one folder, and returns it", () => {
    assert.equal(matchedFolder("apps/[app]/src/**", "apps/shop/src/log/x.ts"), "apps/shop/src");
    assert.equal(matchedFolder("apps/[app]/src/**", "apps/shop/x.ts"), undefined);
  });

  it("matches a file name with that file only", () => {
    assert.equal(matchedFolder("a/x.ts", "a/x.ts"), "a/x.ts");
    assert.equal(matchedFolder("a/x.ts", "a/b/x.ts"), undefined);
  });
});

describe("placeOf", () => {
  const table = parseLayerTable(JSON.stringify({ floors: ["a/**", "a/[any]/**", ["a/b/**", "c/d/**"], "a/b/*"] }));

  it("prefers the deeper pattern, then a named folder to a bracket", () => {
    assert.equal(placeOf(table, "a/x.ts")?.row.floor, 0);
    assert.equal(placeOf(table, "a/z/x.ts")?.row.floor, 1);
    assert.equal(placeOf(table, "a/b/c/x.ts")?.row.floor, 2);
    assert.equal(placeOf(table, "c/d/x.ts")?.row.floor, 2);
    assert.equal(placeOf(table, "c/x.ts"), undefined);
  });

  it("prefers the row of a folder itself to the row of the folders below", () => {
    assert.equal(placeOf(table, "a/b/y.ts")?.row.floor, 3);
  });
});

describe("parseLayerTable", () => {
  it("reads whether the files of a row are published or bundled, and may import the parts of packages", () => {
    const floors = ["a/src/**", "b/[any]/**", "b/c/**", "d/src/**"];
    const lists = { developmentOnly: ["b/**"], insiders: ["b/c/**"], bundled: ["d/**"] };
    const { rows } = parseLayerTable(JSON.stringify({ floors, ...lists }));
    assert.deepEqual(
      rows.map(({ files, isDevelopmentOnly, isInsider, isBundled }) => [
        files,
        isDevelopmentOnly,
        isInsider,
        isBundled,
      ]),
      [
        ["a/src/**", false, false, false],
        ["b/[any]/**", true, false, false],
        ["b/c/**", true, true, false],
        ["d/src/**", false, false, true],
      ],
    );
  });

  it("names each error", () => {
    const parse = (table: object) => () => parseLayerTable(JSON.stringify(table));
    assert.throws(parse({ floors: ["a"] }), /floors\[0\]: a has to end in/);
    assert.throws(parse({ floors: ["a/*", "a/x.ts"] }), /floors\[1\]: a\/x\.ts has to end in/);
    assert.throws(parse({ floors: ["a/**", ["b/**", "a/**"]] }), /a\/\*\* has two floors/);
    assert.throws(parse({ floors: [], insiders: "a/**" }), /insiders has to be a list/);
    assert.throws(parse({ rows: [] }), /floors has to be a list/);
  });
});
