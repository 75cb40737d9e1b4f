import assert from "node:assert/strict";
import { test } from "node:test";
import { Payload, type PayloadLender } from "./payload.ts";

class Lender implements PayloadLender {
  returned: [number, number][] = [];
  copy(bytes: Uint8Array, start: number, end: number): Uint8Array {
    return bytes.slice(start, end);
  }
  takeBack({ start, end }: Payload): void {
    this.returned.push([start, end]);
  }
}

test("content of lent memory is a copy, so that whoever keeps it is not overwritten", () => {
  const memory = new Uint8Array([0, 1, 2, 3, 4]);
  const payload = new Payload();
  payload.lend(new Lender(), memory, 1, 4);
  const { content } = payload;
  memory.fill(9);
  assert.deepEqual([...content], [1, 2, 3]);
});

test("lent memory goes back once, when the payload is cleared", () => {
  const lender = new Lender();
  const payload = new Payload();
  payload.lend(lender, new Uint8Array(8), 2, 5);
  payload.clear();
  payload.clear();
  assert.deepEqual(lender.returned, [[2, 5]]);
  assert.equal(payload.length, 0);
});

test("content of a message's own memory is no copy", () => {
  const memory = new Uint8Array([1, 2, 3]);
  assert.equal(new Payload().whole(memory, false, true).content, memory);
  assert.equal(new Payload().borrow(memory, 1, 3, false).content.buffer, memory.buffer);
});

test("copyTo writes the bytes where it is told, whether there are few or many", () => {
  for (const length of [0, 1, 64, 65, 5000]) {
    const memory = Uint8Array.from({ length: length + 3 }, (_, index) => index % 251);
    const target = new Uint8Array(length + 4);
    new Payload().borrow(memory, 2, length + 2, false).copyTo(target, 1);
    assert.deepEqual(target.subarray(1, length + 1), memory.subarray(2, length + 2));
    assert.equal(target[0], 0);
    assert.deepEqual([...target.subarray(length + 1)], [0, 0, 0]);
  }
});
