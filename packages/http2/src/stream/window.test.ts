import assert from "node:assert/strict";
import { test } from "node:test";
import { maxUint31 } from "../frame/frame-header.ts";
import { ReceiveWindow, SendWindow } from "./window.ts";

test("lets the send window rise to 2^31-1 and not above", () => {
  const window = new SendWindow(1);
  assert.equal(window.shift(maxUint31 - 1), true);
  assert.equal(window.available, maxUint31);
  assert.equal(window.shift(1), false);
  assert.equal(window.available, maxUint31);
});

test("goes below zero when a smaller initial window says so, and comes back by updates", () => {
  // The example of RFC 9113 §6.9.2.
  const window = new SendWindow(16_384);
  window.take(10_000);
  assert.equal(window.shift(4096 - 16_384), true);
  assert.equal(window.available, -5904);
  window.shift(5904);
  assert.equal(window.available, 0);
});

test("lets a window far below zero be raised by 2^31-1", () => {
  const window = new SendWindow(0);
  window.shift(-maxUint31);
  assert.equal(window.shift(maxUint31), true);
  assert.equal(window.available, 0);
});

test("takes data up to the last byte of the receive window and not one more", () => {
  const window = new ReceiveWindow(10);
  assert.equal(window.receive(10), true);
  assert.equal(window.receive(0), true);
  assert.equal(window.receive(1), false);
});

for (const size of [1, 2, 3, 10, 65_535]) {
  test(`gives credit when half of a window of ${size} has been used up, and not before`, () => {
    const window = new ReceiveWindow(size);
    const half = Math.ceil(size / 2);
    window.receive(size);
    for (let used = 1; used < half; used++) assert.equal(window.release(1), 0);
    assert.equal(window.release(1), half);
    assert.equal(window.receive(half), true);
    assert.equal(window.receive(1), false);
  });
}

test("gives back exactly what was used up, over many rounds", () => {
  const window = new ReceiveWindow(100);
  let credit = 100;
  for (let round = 0; round < 1000; round++) {
    const bytes = 1 + ((round * 37) % Math.min(credit, 60));
    assert.equal(window.receive(bytes), true);
    credit -= bytes;
    credit += window.release(bytes);
    assert.ok(credit > 50, `the peer could always go on: ${credit}`);
  }
});

test("gives credit for 256 KiB at the latest, however large the window", () => {
  const window = new ReceiveWindow(16_777_216);
  window.receive(1_000_000);
  assert.equal(window.release(262_143), 0);
  assert.equal(window.release(1), 262_144);
});

test("lets the peer send more once it has grown, and knows what is held", () => {
  const window = new ReceiveWindow(10);
  window.receive(8);
  window.release(3);
  assert.equal(window.heldBytes, 5);
  window.grow(10);
  assert.equal(window.heldBytes, 5);
  assert.equal(window.receive(12), true);
  assert.equal(window.receive(1), false);
});

test("takes the allowance at first and gives credit by the size all the same", () => {
  const window = new ReceiveWindow(10, 100);
  assert.equal(window.receive(100), true);
  assert.equal(window.receive(1), false);
  assert.equal(new ReceiveWindow(10, 100).release(5), 5);
});
