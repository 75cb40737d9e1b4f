// Own process: it changes flags of V8.
import assert from "node:assert/strict";
import { test } from "node:test";
import { getHeapSpaceStatistics } from "node:v8";
import { keepYoungSpaceSmall, letYoungSpaceGrow } from "./young-space.ts";

const youngSpaceBytes = (): number =>
  getHeapSpaceStatistics().find(({ space_name: name }) => name === "new_space")?.space_size ?? Number.NaN;

/** Leaves objects that survive collections, as loading modules does. */
function work(): number {
  const kept: object[] = [];
  for (let at = 0; at < 3_000_000; at++) kept[at % 200_000] = { at };
  return kept.length;
}

test("the space of young objects does not grow until it may", () => {
  const maxBytes = 2 * 16 * 1024 * 1024;
  const before = youngSpaceBytes();
  assert.ok(before < maxBytes, `it has ${before} bytes already`);
  keepYoungSpaceSmall();
  work();
  assert.equal(youngSpaceBytes(), before);
  letYoungSpaceGrow();
  work();
  assert.ok(youngSpaceBytes() > before, `it still has ${before} bytes`);
});
