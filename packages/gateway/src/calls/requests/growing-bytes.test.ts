import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { freeTaken, GrowingBytes } from "./growing-bytes.ts";

describe("GrowingBytes", () => {
  it("returns the appended bytes, whatever the pieces", () => {
    const bytes = new GrowingBytes();
    bytes.append(new Uint8Array([1, 2]));
    bytes.append(new Uint8Array([]));
    bytes.append(new Uint8Array([3, 4, 5]));
    assert.deepEqual([...bytes.take()], [1, 2, 3, 4, 5]);
    assert.equal(bytes.length, 0);
    bytes.append(new Uint8Array([6]));
    assert.deepEqual([...bytes.take()], [6]);
  });

  it("copies the pieces, which are only lent", () => {
    const bytes = new GrowingBytes();
    const piece = Buffer.from("ab");
    bytes.append(piece);
    piece.fill(0);
    assert.equal(Buffer.from(bytes.take()).toString(), "ab");
  });

  it("frees large memory after growing, clearing and use", () => {
    const bytes = new GrowingBytes();
    const piece = new Uint8Array(20_000).fill(1);
    bytes.append(piece);
    bytes.append(piece);
    assert.equal(piece.length, 20_000, "the pieces are the caller's");
    const taken = bytes.take();
    assert.equal(taken.length, 40_000);
    freeTaken(taken);
    assert.equal(taken.length, 0);
    bytes.append(piece);
    bytes.clear();
    assert.deepEqual([bytes.length, bytes.capacity], [0, 0]);
  });

  it("does not free small memory, or memory that may be shared", () => {
    const small = new Uint8Array(16_383);
    const half = new Uint8Array(new ArrayBuffer(65_536), 0, 32_768);
    const later = new Uint8Array(new ArrayBuffer(65_536), 1, 60_000);
    for (const bytes of [small, half, later]) freeTaken(bytes);
    assert.deepEqual([small.length, half.length, later.length], [16_383, 32_768, 60_000]);
  });

  it("takes at most twice its length when appended byte by byte", () => {
    const bytes = new GrowingBytes();
    const one = new Uint8Array(1);
    let buffers = 0;
    let capacity = 0;
    for (let count = 1; count <= 100_000; count++) {
      bytes.append(one);
      assert.ok(bytes.capacity <= 2 * count, `${bytes.capacity} for ${count}`);
      if (bytes.capacity !== capacity) buffers++;
      capacity = bytes.capacity;
    }
    assert.equal(bytes.length, 100_000);
    assert.ok(buffers < 20, `${buffers} buffers`);
  });
});
