import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { free, ReadAhead } from "./read-ahead.ts";

/** Bytes in separate memory, like those that Node.js reads. */
const chunkOf = (bytes: number, text: string) => Buffer.from(new ArrayBuffer(bytes)).fill(text);

describe("bytes that a connection has read ahead", () => {
  it("are read before later bytes", () => {
    const readAhead = new ReadAhead();
    assert.equal(readAhead.take(undefined), undefined);
    readAhead.keep(Buffer.from("abc"), 1);
    assert.deepEqual([readAhead.length, readAhead.isEmpty], [2, false]);
    assert.equal(readAhead.take(Buffer.from("def"))?.toString(), "bcdef");
    assert.equal(readAhead.isEmpty, true);
    readAhead.keep(Buffer.from("abc"), 2);
    assert.equal(readAhead.take(undefined)?.toString(), "c");
  });

  it("are freed when consumed, and after being joined with later bytes", () => {
    const readAhead = new ReadAhead();
    const used = chunkOf(65_536, "a");
    readAhead.keep(used, used.length);
    assert.deepEqual([used.length, readAhead.isEmpty], [0, true]);
    const [first, second] = [chunkOf(65_536, "a"), chunkOf(65_536, "b")];
    readAhead.keep(first, 0);
    assert.equal(readAhead.take(second)?.length, 131_072);
    assert.deepEqual([first.length, second.length], [0, 0]);
  });

  it("are copied if they use less than half of their memory, which is freed then", () => {
    const readAhead = new ReadAhead();
    const chunk = chunkOf(65_536, "a");
    readAhead.keep(chunk, 65_000);
    assert.equal(chunk.length, 0);
    assert.equal(readAhead.take(undefined)?.toString(), "a".repeat(536));
    const large = chunkOf(65_536, "b");
    readAhead.keep(large, 30_000);
    assert.equal(readAhead.take(undefined)?.buffer, large.buffer);
  });

  it("are not freed if their memory may be shared", () => {
    const pooled = Buffer.from(new ArrayBuffer(65_536), 10_000, 30_000);
    const small = chunkOf(16_383, "a");
    free(pooled);
    free(small);
    assert.deepEqual([pooled.length, small.length], [30_000, 16_383]);
  });
});
