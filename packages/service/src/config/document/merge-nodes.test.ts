import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { type ConfigNode, type MapNode, nodeAt, toPlain } from "./config-node.ts";
import { mergeNodes } from "./merge-nodes.ts";
import { placeOf } from "./origin.ts";
import { readYaml } from "./read-yaml.ts";

function map(text: string, file = "a.yaml"): MapNode {
  return readYaml(text, file).root ?? assert.fail("not valid YAML");
}

const byName = new Map([["dependencies", "name"]]);

describe("mergeNodes", () => {
  test("merges maps, and replaces lists and scalars", () => {
    const merged = mergeNodes(map("a: {b: 1, c: 2}\nl: [1, 2]\n"), map("a: {c: 3, d: 4}\nl: [3]\n"));
    assert.deepEqual(toPlain(merged), { a: { b: 1, c: 3, d: 4 }, l: [3] });
  });

  test("replaces a map by a scalar and the other way round", () => {
    assert.deepEqual(toPlain(mergeNodes(map("a: {b: 1}\nc: 1\n"), map("a: 1\nc: {d: 2}\n"))), { a: 1, c: { d: 2 } });
  });

  test("takes a value back where the later layer has the key without one", () => {
    assert.deepEqual(toPlain(mergeNodes(map("a: {b: 1, c: 2}\n"), map("a: {b: }\n"))), { a: { c: 2 } });
  });

  test("merges the items of a list by their names, and adds new ones and such without a name", () => {
    const earlier = map("dependencies:\n  - {name: a, required: true}\n  - {name: b}\n");
    const later = map("dependencies:\n  - {name: c}\n  - {name: a, version: v2}\n  - {required: false}\n");
    assert.deepEqual(toPlain(mergeNodes(earlier, later, byName)), {
      dependencies: [{ name: "a", required: true, version: "v2" }, { name: "b" }, { name: "c" }, { required: false }],
    });
  });

  test("replaces a list of the same name elsewhere", () => {
    const merged = mergeNodes(
      map("app: {dependencies: [{name: a}]}\n"),
      map("app: {dependencies: [{name: b}]}\n"),
      byName,
    );
    assert.deepEqual(toPlain(merged), { app: { dependencies: [{ name: "b" }] } });
  });

  test("keeps the origin of what each layer said", () => {
    const merged = mergeNodes(map("a: {b: 1, c: 2}\n", "a.yaml"), map("a: {c: 3}\n", "b.yaml"));
    assert.equal(placeOf(nodeAt(merged, ["a", "b"])?.origin ?? assert.fail()), "a.yaml:1:8");
    assert.equal(placeOf(nodeAt(merged, ["a", "c"])?.origin ?? assert.fail()), "b.yaml:1:8");
  });

  const origin = { kind: "file", file: "p.yaml", line: 1, column: 1 } as const;
  const keys = fc.constantFrom("a", "b", "c", "constructor");
  const { node } = fc.letrec<{ node: ConfigNode; map: MapNode }>((tie) => ({
    node: fc.oneof(
      { maxDepth: 3 },
      fc.integer().map((value): ConfigNode => ({ kind: "scalar", value, origin })),
      fc.array(tie("node"), { maxLength: 2 }).map((items): ConfigNode => ({ kind: "list", items, origin })),
      tie("map"),
    ),
    map: fc.dictionary(keys, tie("node"), { maxKeys: 3 }).map((plain) => asMap(plain)),
  }));
  const maps = fc.dictionary(keys, node, { maxKeys: 3 }).map((plain) => asMap(plain));

  function asMap(plain: Record<string, ConfigNode>): MapNode {
    const entries = Object.entries(plain).map(([key, child]) => [key, { node: child, keyOrigin: origin }] as const);
    return { kind: "map", entries: new Map(entries), origin };
  }

  test("does not depend on how layers are grouped", () => {
    fc.assert(
      fc.property(maps, maps, maps, (a, b, c) => {
        const left = mergeNodes(mergeNodes(a, b), c);
        const right = mergeNodes(a, mergeNodes(b, c));
        // Maps that a scalar had replaced in between differ: what was replaced is gone on the left.
        fc.pre(!hasReplacedMap(a, b));
        assert.deepEqual(toPlain(left), toPlain(right));
      }),
    );
  });

  test("changes nothing by merging a layer with itself or with an empty one", () => {
    const empty = asMap({});
    fc.assert(
      fc.property(maps, (a) => {
        for (const merged of [mergeNodes(a, a), mergeNodes(a, empty), mergeNodes(empty, a)]) {
          assert.deepEqual(toPlain(merged), toPlain(a));
        }
      }),
    );
  });

  test("has every scalar of the later layer", () => {
    fc.assert(
      fc.property(maps, maps, (a, b) => {
        for (const [path, value] of scalars(b)) {
          const found = nodeAt(mergeNodes(a, b), path);
          assert.equal(found?.kind === "scalar" ? found.value : undefined, value);
        }
      }),
    );
  });

  function hasReplacedMap(a: ConfigNode, b: ConfigNode): boolean {
    if (a.kind !== "map" || b.kind !== "map") return a.kind === "map" || b.kind === "map";
    return [...b.entries].some(([key, entry]) => {
      const before = a.entries.get(key)?.node;
      return before !== undefined && hasReplacedMap(before, entry.node);
    });
  }

  function scalars(at: ConfigNode, path: (string | number)[] = []): [(string | number)[], unknown][] {
    if (at.kind === "scalar") return [[path, at.value]];
    const children =
      at.kind === "list"
        ? at.items.map((item, index) => [index, item] as const)
        : [...at.entries].map(([key, entry]) => [key, entry.node] as const);
    return children.flatMap(([step, child]) => scalars(child, [...path, step]));
  }
});
