import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { matchedFolder, parseLayerTable, placeOf } from "./layer-table.ts";

describe("matchedFolder", () => {
  it("takes one star for the folder itself and two for the folders below", () => {
    assert.equal(matchedFolder("a/b/*", "a/b/x.ts"), "a/b");
    assert.equal(matchedFolder("a/b/*", "a/b/c/x.ts"), undefined);
    assert.equal(matchedFolder("a/b/**", "a/b/x.ts"), "a/b");
    assert.equal(matchedFolder("a/b/**", "a/b/c/x.ts"), "a/b");
    assert.equal(matchedFolder("a/b/**", "a/bc/x.ts"), undefined);
    assert.equal(matchedFolder("a/b/**", "a/x.ts"), undefined);
  });

  it("takes a bracket for any one folder and says which", () => {
    assert.equal(matchedFolder("apps/[app]/src/**", "apps/shop/src/log/x.ts"), "apps/shop/src");
    assert.equal(matchedFolder("apps/[app]/src/**", "apps/shop/x.ts"), undefined);
  });

  it("takes a file's name for that file alone", () => {
    assert.equal(matchedFolder("a/x.ts", "a/x.ts"), "a/x.ts");
    assert.equal(matchedFolder("a/x.ts", "a/b/x.ts"), undefined);
  });
});

describe("placeOf", () => {
  const table = parseLayerTable(
    JSON.stringify({
      rows: [
        { files: "a/**", floor: 1 },
        { files: "a/[any]/**", floor: 2 },
        { files: "a/b/**", floor: 3 },
        { files: "a/b/*", floor: 4 },
        { files: "a/b/x.ts", floor: 5 },
      ],
    }),
  );

  it("prefers a file's name, then the deeper pattern, then a named folder to a bracket", () => {
    assert.equal(placeOf(table, "a/x.ts")?.row.floor, 1);
    assert.equal(placeOf(table, "a/z/x.ts")?.row.floor, 2);
    assert.equal(placeOf(table, "a/b/c/x.ts")?.row.floor, 3);
    assert.equal(placeOf(table, "a/b/x.ts")?.row.floor, 5);
    assert.equal(placeOf(table, "c/x.ts"), undefined);
  });

  it("prefers the row of a folder itself to that of everything below it", () => {
    assert.equal(placeOf(table, "a/b/y.ts")?.row.floor, 4);
  });
});

describe("parseLayerTable", () => {
  it("refuses mistakes by name", () => {
    const parse = (rows: unknown) => () => parseLayerTable(JSON.stringify({ rows }));
    assert.throws(parse([{ files: "a", floor: 1 }]), /a has to end in/);
    assert.throws(parse([{ files: "a/**" }]), /a\/\*\* needs a floor/);
    assert.throws(
      parse([
        { files: "a/**", floor: 1 },
        { files: "a/**", floor: 2 },
      ]),
      /two rows/,
    );
    assert.throws(
      parse([
        { files: "a/**", floor: 1, sideways: ["b/**"] },
        { files: "b/**", floor: 2 },
      ]),
      /no row of the same floor/,
    );
  });
});
