import assert from "node:assert/strict";
import { test } from "node:test";
import { copyBytes } from "./copy-bytes.ts";

test("copies the range and nothing else", () => {
  const source = Uint8Array.from({ length: 10_000 }, (_, at) => at & 0xff);
  for (const [start, end] of [
    [0, 0],
    [3, 4],
    [10, 74],
    [10, 75],
    [5, 4101],
    [5, 4102],
    [0, 10_000],
  ] as const) {
    const copy = copyBytes(source, start, end);
    assert.deepEqual(copy, source.slice(start, end));
    assert.equal(copy.constructor, Uint8Array);
  }
});

test("never hands out the same bytes twice", () => {
  const copies = Array.from({ length: 2000 }, (_, n) =>
    copyBytes(new Uint8Array(1 + (n % 100)).fill(n & 0xff), 0, 1 + (n % 100)),
  );
  copies.forEach((copy, n) => {
    assert.ok(copy.every((byte) => byte === (n & 0xff)));
  });
});

test("gives a plain Uint8Array for a Buffer", () => {
  assert.equal(copyBytes(Buffer.from("abc"), 0, 3).constructor, Uint8Array);
  assert.equal(copyBytes(Buffer.alloc(5000), 0, 5000).constructor, Uint8Array);
});

test("holds back little memory with a small copy", () => {
  assert.ok(copyBytes(new Uint8Array(100), 0, 100).buffer.byteLength <= 16 * 1024);
  assert.equal(copyBytes(new Uint8Array(5000), 0, 5000).buffer.byteLength, 5000);
});
