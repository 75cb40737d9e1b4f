import assert from "node:assert/strict";
import { test } from "node:test";
import { giveGatherSlab, takeGatherSlab } from "./gather-slabs.ts";

const announced = 64 * 1_048_576;

test("lends nothing to whoever has less than a quarter of a slab to put in", () => {
  assert.equal(takeGatherSlab(16_383, announced), undefined);
  assert.equal(takeGatherSlab(16_384, announced)?.length, 65_536);
  assert.equal(takeGatherSlab(65_536, announced)?.length, 262_144);
  assert.equal(takeGatherSlab(1_048_576, announced)?.length, 1_048_576);
  assert.equal(takeGatherSlab(1_048_577, announced), undefined);
});

test("lends no slab that the whole message would fit", () => {
  assert.equal(takeGatherSlab(16_384, 65_536), undefined);
  assert.equal(takeGatherSlab(16_384, 65_537)?.length, 65_536);
});

test("lends a slab again once it was given back, and keeps no more than a mebibyte of each size", () => {
  const slabs = Array.from({ length: 5 }, () => takeGatherSlab(200_000, announced) as Uint8Array);
  assert.equal(new Set(slabs).size, 5);
  for (const slab of slabs) giveGatherSlab(slab);
  const again = Array.from({ length: 5 }, () => takeGatherSlab(200_000, announced) as Uint8Array);
  assert.equal(again.filter((slab) => slabs.includes(slab)).length, 4);
});

test("keeps no buffer of another size", () => {
  const other = new Uint8Array(65_535);
  giveGatherSlab(other);
  assert.notEqual(takeGatherSlab(16_384, announced), other);
});
