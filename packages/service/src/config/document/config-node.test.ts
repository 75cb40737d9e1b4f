import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { type MapNode, nodeAt, pathText, toPlain, withEntry } from "./config-node.ts";
import { readYaml } from "./read-yaml.ts";
import { scalarFromText } from "./scalar-text.ts";

const root = readYaml("a: {b: [1, {c: x}], d: }\n", "c.yaml").root as MapNode;

describe("nodes of a configuration", () => {
  test("are found by keys and indexes, and are undefined elsewhere", () => {
    const found = nodeAt(root, ["a", "b", 1, "c"]);
    assert.equal(found?.kind === "scalar" && found.value, "x");
    for (const path of [["x"], ["a", "b", 2], ["a", "b", 0, "c"], ["a", "b", "length"]]) {
      assert.equal(nodeAt(root, path), undefined, pathText(path));
    }
  });

  test("have paths as people write them", () => {
    assert.equal(pathText(["a", "b", 1, "c"]), "a.b[1].c");
    assert.equal(pathText([]), "");
  });

  test("are values without what is not set", () => {
    assert.deepEqual(toPlain(root), { a: { b: [1, { c: "x" }] } });
  });

  test("change no prototype, whatever a key is called", () => {
    const evil = withEntry(root, "__proto__", {
      ...root,
      entries: new Map([["polluted", { node: scalarFromText("1", root.origin), keyOrigin: root.origin }]]),
    });
    const plain = toPlain(evil) as Record<string, unknown>;
    assert.equal(plain.polluted, undefined);
    assert.equal(Object.getPrototypeOf(plain), Object.prototype);
  });

  test("are never changed: an entry that is replaced makes another map", () => {
    const changed = withEntry(root, "a", undefined);
    assert.deepEqual([toPlain(changed), Object.keys(toPlain(root) as object)], [{}, ["a"]]);
  });
});
