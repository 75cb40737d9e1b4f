import assert from "node:assert/strict";
import { test } from "node:test";
import { compareHashes, type Hash64, xxh64, xxh64OfText } from "./xxh64.ts";

const mask = (1n << 64n) - 1n;
const [p1, p2, p3, p4, p5] = [
  0x9e3779b185ebca87n,
  0xc2b2ae3d27d4eb4fn,
  0x165667b19e3779f9n,
  0x85ebca77c2b2ae63n,
  0x27d4eb2f165667c5n,
];

/** The specification once more, in 64-bit arithmetic, slow and plain. */
function plainXxh64(bytes: Uint8Array, seed: bigint): bigint {
  const rotate = (value: bigint, bits: bigint): bigint => ((value << bits) | (value >> (64n - bits))) & mask;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const round = (lane: bigint, input: bigint): bigint => (rotate((lane + input * p2) & mask, 31n) * p1) & mask;
  let hash = (seed + p5) & mask;
  let at = 0;
  if (bytes.length >= 32) {
    const lanes = [seed + p1 + p2, seed + p2, seed, seed - p1].map((lane) => lane & mask);
    for (; at + 32 <= bytes.length; at += 32) {
      for (const [i, lane] of lanes.entries()) lanes[i] = round(lane, view.getBigUint64(at + i * 8, true));
    }
    const rotations = [1n, 7n, 12n, 18n];
    hash = lanes.reduce((sum, lane, i) => (sum + rotate(lane, rotations[i] ?? 0n)) & mask, 0n);
    for (const lane of lanes) hash = ((hash ^ round(0n, lane)) * p1 + p4) & mask;
  }
  hash = (hash + BigInt(bytes.length)) & mask;
  for (; at + 8 <= bytes.length; at += 8) {
    hash = (rotate(hash ^ round(0n, view.getBigUint64(at, true)), 27n) * p1 + p4) & mask;
  }
  if (at + 4 <= bytes.length) {
    hash = (rotate(hash ^ ((BigInt(view.getUint32(at, true)) * p1) & mask), 23n) * p2 + p3) & mask;
    at += 4;
  }
  for (; at < bytes.length; at += 1) hash = (rotate(hash ^ ((BigInt(bytes[at] ?? 0) * p5) & mask), 11n) * p1) & mask;
  hash = ((hash ^ (hash >> 33n)) * p2) & mask;
  hash = ((hash ^ (hash >> 29n)) * p3) & mask;
  return hash ^ (hash >> 32n);
}

function hex({ high, low }: Hash64): string {
  return high.toString(16).padStart(8, "0") + low.toString(16).padStart(8, "0");
}

test("gives the hashes that other implementations publish", () => {
  for (const [text, expected] of [
    ["", "ef46db3751d8e999"],
    ["a", "d24ec4f1a98c6e5b"],
    ["as", "1c330fb2d66be179"],
    ["asd", "631c37ce72a97393"],
    ["asdf", "415872f599cea71e"],
    ["Call me Ishmael. Some years ago--never mind how long precisely-", "02a2e85470d6fd96"],
  ] as const) {
    const hash = { high: 0, low: 0 };
    xxh64OfText(text, hash);
    assert.equal(hex(hash), expected, text);
  }
});

test("agrees with plain 64-bit arithmetic for every length up to 200 and seeds with either half", () => {
  const bytes = Uint8Array.from({ length: 200 }, (_, i) => (i * 167 + 13) & 0xff);
  for (const seed of [0n, 1n, 0xffff_ffffn, 0x8000_0000_0000_0000n, 0xdead_beef_cafe_f00dn]) {
    const halves = { high: Number(seed >> 32n), low: Number(seed & 0xffff_ffffn) };
    for (let length = 0; length <= bytes.length; length += 1) {
      const hash = { high: 0, low: 0 };
      xxh64(bytes, length, halves, hash);
      assert.equal(hex(hash), plainXxh64(bytes.slice(0, length), seed).toString(16).padStart(16, "0"), `${length}`);
    }
  }
});

test("hashes text as UTF-8, whatever its length", () => {
  for (const text of ["straße", "日本語", "x".repeat(1000), "é".repeat(1000), "\ud800"]) {
    const hash = { high: 0, low: 0 };
    xxh64OfText(text, hash);
    assert.equal(hex(hash), plainXxh64(new TextEncoder().encode(text), 0n).toString(16).padStart(16, "0"));
  }
});

test("orders hashes as unsigned numbers", () => {
  const sorted = [
    { high: 0, low: 0xffff_ffff },
    { high: 1, low: 0 },
    { high: 0x8000_0000, low: 0 },
    { high: 0xffff_ffff, low: 1 },
  ];
  assert.deepEqual([...sorted].reverse().sort(compareHashes), sorted);
});
