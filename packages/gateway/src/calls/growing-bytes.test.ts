import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { GrowingBytes } from "./growing-bytes.ts";

describe("bytes that come in pieces", () => {
  it("are those that came, whatever the pieces", () => {
    const bytes = new GrowingBytes();
    bytes.append(new Uint8Array([1, 2]));
    bytes.append(new Uint8Array([]));
    bytes.append(new Uint8Array([3, 4, 5]));
    assert.deepEqual([...bytes.take()], [1, 2, 3, 4, 5]);
    assert.equal(bytes.length, 0);
    bytes.append(new Uint8Array([6]));
    assert.deepEqual([...bytes.take()], [6]);
  });

  it("are a copy: the pieces are only lent", () => {
    const bytes = new GrowingBytes();
    const piece = Buffer.from("ab");
    bytes.append(piece);
    piece.fill(0);
    assert.equal(Buffer.from(bytes.take()).toString(), "ab");
  });

  it("take twice their length at most, one byte at a time", () => {
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
