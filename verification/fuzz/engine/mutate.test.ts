import assert from "node:assert/strict";
import { test } from "node:test";
import { Random } from "../../harness/random.ts";
import { mutate } from "./mutate.ts";

const input = Uint8Array.from({ length: 40 }, (_, at) => at);

test("changes a copy and never the input, within the maximum length", () => {
  const random = new Random(1);
  const before = Buffer.from(input).toString("hex");
  const seen = new Set<string>();
  for (let round = 0; round < 2000; round++) {
    const changed = mutate(input, [input], [Uint8Array.of(0xaa, 0xbb)], 48, random);
    assert.ok(changed.length <= 48);
    seen.add(Buffer.from(changed).toString("hex"));
  }
  assert.equal(Buffer.from(input).toString("hex"), before);
  assert.ok(seen.size > 1500, `only ${seen.size} different inputs`);
});

test("creates an input from an empty one", () => {
  const random = new Random(1);
  assert.ok(mutate(new Uint8Array(0), [new Uint8Array(0)], [], 8, random).length > 0);
});

test("returns the same inputs for the same seed", () => {
  const run = (seed: number): string[] => {
    const random = new Random(seed);
    return Array.from({ length: 20 }, () => Buffer.from(mutate(input, [input], [], 100, random)).toString("hex"));
  };
  assert.deepEqual(run(7), run(7));
  assert.notDeepEqual(run(7), run(8));
});
