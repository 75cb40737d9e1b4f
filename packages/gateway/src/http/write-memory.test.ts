import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { WriteMemory } from "./write-memory.ts";

const placeOf = ({ buffer, byteOffset, length }: Buffer) => [buffer, byteOffset, length];

describe("WriteMemory", () => {
  it("reuses memory that has been returned", () => {
    const memory = new WriteMemory();
    const first = memory.reserve(1000);
    memory.giveBack(first);
    assert.deepEqual(placeOf(memory.reserve(1000)), placeOf(first));
  });

  it("keeps the memory of an unsent piece and of all pieces before it", () => {
    const memory = new WriteMemory();
    const waiting = memory.reserve(1000).fill("a");
    const next = memory.reserve(1000).fill("b");
    assert.equal(waiting.toString(), "a".repeat(1000));
    // The memory reserved in between is still in use.
    memory.giveBack(waiting);
    assert.equal(memory.reserve(1).byteOffset, next.byteOffset + next.length);
  });

  it("does not reuse a block that has been replaced by another", () => {
    const memory = new WriteMemory();
    const first = memory.reserve(100 * 1024);
    const second = memory.reserve(100 * 1024);
    assert.notEqual(second.buffer, first.buffer);
    memory.giveBack(first);
    assert.equal(memory.reserve(1).byteOffset, second.byteOffset + second.length);
  });
});
