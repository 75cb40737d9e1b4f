import assert from "node:assert/strict";
import { test } from "node:test";
import { createHashRing, type HashRing } from "./hash-ring.ts";
import { xxh64OfText } from "./xxh64.ts";

function members(...weights: number[]) {
  return weights.map((weight, i) => ({ hashKey: `10.0.0.${i}:80`, weight }));
}

function countsOf(ring: HashRing, memberCount: number): number[] {
  const counts = Array.from({ length: memberCount }, () => 0);
  for (let i = 0; i < ring.size; i += 1) counts[ring.memberAt(i)] = (counts[ring.memberAt(i)] ?? 0) + 1;
  return counts;
}

test("gives each member entries in proportion to its weight, a whole number to the lightest", () => {
  const ring = createHashRing(members(1, 2, 1), 1024, 4096);
  assert.deepEqual(countsOf(ring, 3), [256, 512, 256]);
  assert.deepEqual(countsOf(createHashRing(members(1, 1, 1), 10, 4096), 3), [4, 4, 4]);
});

test("has no more entries than it may, and then shares them", () => {
  const ring = createHashRing(members(1, 1000), 1024, 1500);
  assert.equal(ring.size, 1500);
  assert.deepEqual(countsOf(ring, 2), [2, 1498]);
  assert.equal(createHashRing(members(...Array.from({ length: 5000 }, () => 1)), 1024, 4096).size, 4096);
});

test("finds the first entry at or after a hash, around the end", () => {
  const ring = createHashRing(members(1, 1), 8, 4096);
  const hashes: { high: number; low: number }[] = [];
  for (const { hashKey } of members(1, 1)) {
    for (let i = 0; i < 4; i += 1) {
      const hash = { high: 0, low: 0 };
      xxh64OfText(`${hashKey}_${i}`, hash);
      hashes.push(hash);
    }
  }
  hashes.sort((a, b) => a.high - b.high || a.low - b.low);
  for (const [index, { high, low }] of hashes.entries()) {
    assert.equal(ring.indexOf(high, low), index);
    assert.equal(ring.indexOf(high, low + 1), (index + 1) % 8);
    assert.equal(ring.indexOf(high, low - 1), index);
  }
  assert.equal(ring.indexOf(0, 0), 0);
  assert.equal(ring.indexOf(0xffff_ffff, 0xffff_ffff), 0);
});

test("is the same ring in whatever order the members come", () => {
  const [a, b, c] = members(1, 2.5, 3.7);
  assert.ok(a && b && c);
  const ring = createHashRing([a, b, c], 100, 4096);
  const other = createHashRing([c, a, b], 100, 4096);
  assert.equal(ring.size, other.size);
  const renumbered = [1, 2, 0];
  for (let i = 0; i < ring.size; i += 1) assert.equal(renumbered[ring.memberAt(i)], other.memberAt(i));
});

test("moves few keys when a member goes", () => {
  const all = members(1, 1, 1, 1, 1, 1, 1, 1, 1, 1);
  const [before, after] = [createHashRing(all, 1000, 4096), createHashRing(all.slice(1), 900, 4096)];
  let moved = 0;
  for (let i = 0; i < 1000; i += 1) {
    const hash = { high: 0, low: 0 };
    xxh64OfText(`user-${i}`, hash);
    const was = before.memberAt(before.indexOf(hash.high, hash.low));
    const is = after.memberAt(after.indexOf(hash.high, hash.low)) + 1;
    if (was !== 0 && was !== is) moved += 1;
  }
  assert.equal(moved, 0);
});
