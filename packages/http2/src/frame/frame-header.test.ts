import assert from "node:assert/strict";
import { test } from "node:test";
import { readUint31, readUint32, writeFrameHeader, writeUint32 } from "./frame-header.ts";

test("writes length, type, flags and stream identifier where RFC 9113 §4.1 has them", () => {
  const target = new Uint8Array(11).fill(0xa5);
  writeFrameHeader(target, 1, 0x010203, 0x04, 0x25, 0x7fffffff);
  assert.deepEqual([...target], [0xa5, 1, 2, 3, 4, 0x25, 0x7f, 0xff, 0xff, 0xff, 0xa5]);
});

for (const value of [0, 1, 0x7fff_ffff, 0x8000_0000, 0xff00_0000, 0xffff_ffff]) {
  test(`reads back the 32-bit number ${value} without a sign`, () => {
    const bytes = new Uint8Array(6);
    writeUint32(bytes, 1, value);
    assert.equal(readUint32(bytes, 1), value);
    assert.equal(bytes[0], 0);
    assert.equal(bytes[5], 0);
  });
}

test("ignores the reserved bit of a 31-bit number", () => {
  assert.equal(readUint31(Uint8Array.of(0x80, 0, 0, 1), 0), 1);
  assert.equal(readUint31(Uint8Array.of(0xff, 0xff, 0xff, 0xff), 0), 0x7fff_ffff);
});
