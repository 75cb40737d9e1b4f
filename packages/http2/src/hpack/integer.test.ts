import assert from "node:assert/strict";
import { test } from "node:test";
import { BlockCursor } from "./block-cursor.ts";
import { HpackError } from "./hpack-error.ts";
import { maxInteger, readInteger, writeInteger } from "./integer.ts";

function read(bytes: readonly number[], prefixMask: number): { value: number; position: number } {
  const cursor = new BlockCursor(Uint8Array.from(bytes));
  cursor.end = bytes.length;
  return { value: readInteger(cursor, prefixMask), position: cursor.position };
}

function write(value: number, firstByte: number, prefixMask: number): number[] {
  const target = new Uint8Array(8);
  return [...target.subarray(0, writeInteger(target, 0, firstByte, prefixMask, value))];
}

test("reads and writes the integers of RFC 7541 appendix C.1", () => {
  assert.deepEqual(read([0b11101010], 0x1f), { value: 10, position: 1 });
  assert.deepEqual(read([0x1f, 0x9a, 0x0a], 0x1f), { value: 1337, position: 3 });
  assert.deepEqual(read([42], 0xff), { value: 42, position: 1 });
  assert.deepEqual(write(10, 0xe0, 0x1f), [0b11101010]);
  assert.deepEqual(write(1337, 0, 0x1f), [0x1f, 0x9a, 0x0a]);
  assert.deepEqual(write(42, 0, 0xff), [42]);
});

test("reads back what it wrote, for every prefix and around every change of length", () => {
  for (const prefixMask of [0x0f, 0x1f, 0x3f, 0x7f]) {
    for (const edge of [0, prefixMask, 127 + prefixMask, 128 ** 2 + prefixMask, 128 ** 3 + prefixMask, maxInteger]) {
      for (const value of [edge - 1, edge, edge + 1]) {
        if (value < 0 || value > maxInteger) continue;
        const bytes = write(value, 0, prefixMask);
        assert.deepEqual(read(bytes, prefixMask), { value, position: bytes.length });
      }
    }
  }
});

test("takes an integer of 2^28 and refuses one above", () => {
  const bytesOf = (value: number) => [
    0x7f,
    ...[0, 7, 14, 21].map((s) => (((value - 0x7f) >>> s) & 0x7f) | (s < 21 ? 0x80 : 0)),
  ];
  assert.equal(read(bytesOf(2 ** 28), 0x7f).value, 2 ** 28);
  assert.throws(() => read(bytesOf(2 ** 28 + 1), 0x7f), HpackError);
});

test("takes an integer of five bytes and refuses one of six", () => {
  assert.equal(read([0x1f, 0x80, 0x80, 0x80, 0x01], 0x1f).value, 0x1f + 128 ** 3);
  assert.throws(() => read([0x1f, 0x80, 0x80, 0x80, 0x80, 0x01], 0x1f), HpackError);
});

test("refuses an integer padded with zeros, but takes a lone zero continuation", () => {
  assert.equal(read([0x1f, 0x00], 0x1f).value, 0x1f);
  assert.throws(() => read([0x1f, 0x80, 0x00], 0x1f), HpackError);
  assert.throws(() => read([0x1f, 0x81, 0x80, 0x00], 0x1f), HpackError);
  assert.throws(() => read([0x1f, 0x80, 0x80, 0x80, 0x00], 0x1f), HpackError);
});

test("refuses an integer that the block cuts off", () => {
  for (const bytes of [[], [0x1f], [0x1f, 0x80], [0x1f, 0xff, 0xff, 0xff]]) {
    assert.throws(() => read(bytes, 0x1f), HpackError);
  }
});
