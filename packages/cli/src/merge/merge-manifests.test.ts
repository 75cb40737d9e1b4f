import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { mergeManifests } from "./merge-manifests.ts";
import { newerRange } from "./newer-range.ts";

const labels = { mine: "yours", theirs: "tercel 0.2.0" };
const text = (value: object, indent = 2): string => `${JSON.stringify(value, undefined, indent)}\n`;
const base = {
  name: "user-service",
  scripts: { start: "node src/main.ts", test: "node --test" },
  dependencies: { "@tercel/grpc": "^0.1.0", pg: "^8.0.0" },
};

function merge(mine: object, theirs: object) {
  return mergeManifests({ base: text(base), mine: text(mine), theirs: text(theirs) }, labels);
}

describe("merging package.json", () => {
  it("adds packages of both sides, in the order of their names, though their lines touch", () => {
    const mine = { ...base, dependencies: { "@tercel/grpc": "^0.1.0", lodash: "^4.0.0", pg: "^8.0.0" } };
    const theirs = { ...base, dependencies: { "@tercel/grpc": "^0.1.0", ioredis: "^6.0.0", pg: "^8.0.0" } };
    const merged = merge(mine, theirs);
    assert.equal(merged?.hasConflict, false);
    assert.equal(
      merged?.text,
      text({ ...base, dependencies: { "@tercel/grpc": "^0.1.0", ioredis: "^6.0.0", lodash: "^4.0.0", pg: "^8.0.0" } }),
    );
  });

  it("keeps the order, the indentation and the keys of the caller, and puts new keys after what they follow", () => {
    const { scripts: _scripts, ...rest } = base;
    const mine = { description: "mine", scripts: { test: "jest", start: "node src/main.ts" }, ...rest, name: "users" };
    const theirs = { ...base, engines: { node: ">=24" }, scripts: { ...base.scripts, lint: "tercel lint" } };
    const versions = {
      base: text(base),
      mine: text(mine, 4),
      theirs: text(theirs),
    };
    const merged = mergeManifests(versions, labels);
    assert.equal(merged?.hasConflict, false);
    assert.match(merged?.text ?? "", /^\{\n {4}"description": "mine",\n {4}"scripts": \{\n {8}"test": "jest",/);
    const read = JSON.parse(merged?.text ?? "");
    assert.deepEqual(read.scripts, { test: "jest", start: "node src/main.ts", lint: "tercel lint" });
    assert.deepEqual([read.name, read.description, read.engines], ["users", "mine", { node: ">=24" }]);
  });

  it("takes the later of two ranges where one is within the other", () => {
    const mine = { ...base, dependencies: { ...base.dependencies, pg: "^8.3.0" } };
    const theirs = { ...base, dependencies: { ...base.dependencies, pg: "^8.2.0" } };
    assert.equal(JSON.parse(merge(mine, theirs)?.text ?? "").dependencies.pg, "^8.3.0");
    assert.equal(JSON.parse(merge(theirs, mine)?.text ?? "").dependencies.pg, "^8.3.0");
  });

  it("removes what one side has removed and the other left alone", () => {
    const { pg: _pg, ...without } = base.dependencies;
    assert.deepEqual(JSON.parse(merge({ ...base, dependencies: without }, base)?.text ?? "").dependencies, without);
    assert.deepEqual(JSON.parse(merge(base, { ...base, dependencies: without })?.text ?? "").dependencies, without);
  });

  it("marks only the value that both changed, with both versions of it", () => {
    const mine = { ...base, dependencies: { ...base.dependencies, pg: "7.0.0" } };
    const theirs = { ...base, dependencies: { ...base.dependencies, pg: "^9.0.0" }, private: true };
    const merged = merge(mine, theirs);
    assert.equal(merged?.hasConflict, true);
    assert.match(
      merged?.text ?? "",
      /\n<<<<<<< yours\n {4}"pg": "7\.0\.0"\n=======\n {4}"pg": "\^9\.0\.0"\n>>>>>>> tercel 0\.2\.0\n {2}\},\n {2}"private": true\n\}\n$/,
    );
  });

  it("marks a package that one side has removed and the other changed", () => {
    const { pg: _pg, ...without } = base.dependencies;
    const merged = merge({ ...base, dependencies: without }, { ...base, dependencies: { ...without, pg: "^9.0.0" } });
    assert.equal(merged?.hasConflict, true);
    assert.match(merged?.text ?? "", /"pg": "\^9\.0\.0"/);
  });

  it("leaves what is not JSON to the lines", () => {
    assert.equal(mergeManifests({ base: "{}", mine: "// mine\n{}", theirs: "{}" }, labels), undefined);
  });
});

describe("the later range", () => {
  for (const [one, other, expected] of [
    ["^2.17.0", "^2.18.1", "^2.18.1"],
    ["^2.18.1", "^2.17.0", "^2.18.1"],
    ["^0.223.1", "^0.223.4", "^0.223.4"],
    ["^0.223.1", "^0.224.0", undefined],
    ["^0.0.3", "^0.0.4", undefined],
    ["^2.17.0", "^3.0.0", undefined],
    ["2.17.0", "^2.18.0", undefined],
    ["^2.17.0", undefined, undefined],
  ] as const) {
    it(`of ${one} and ${other} is ${expected}`, () => assert.equal(newerRange(one, other), expected));
  }
});
