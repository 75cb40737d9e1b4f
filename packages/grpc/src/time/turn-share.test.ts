import assert from "node:assert/strict";
import { test } from "node:test";
import { TurnShare, workOfMessage } from "./turn-share.ts";

test("a share lasts for 1024 small messages, and is whole again in the next turn", async () => {
  const share = new TurnShare();
  for (let round = 0; round < 2; round++) {
    for (let message = 0; message < 1023; message++) share.made(share.making(0, false));
    assert.equal(share.isSpent, false);
    share.made(share.making(0, false));
    assert.equal(share.isSpent, true);
    await share.renewed();
  }
  assert.equal(share.isSpent, false);
});

test("a message of 16 KiB and more, or a compressed one, counts by the time that it takes", async () => {
  for (const [bytes, compressed] of [
    [16_384, false],
    [1, true],
  ] as const) {
    let nowMs = 1000;
    const share = new TurnShare(() => nowMs);
    // By their bytes these would be the work of many turns.
    for (let message = 0; message < 20; message++) share.made(share.making(bytes, compressed));
    assert.equal(share.isSpent, false);
    let ticket = share.making(bytes, compressed);
    nowMs += 0.5;
    share.made(ticket);
    assert.equal(share.isSpent, false);
    ticket = share.making(bytes, compressed);
    nowMs += 0.5;
    share.made(ticket);
    assert.equal(share.isSpent, true);
    await share.renewed();
    assert.equal(share.isSpent, false);
  }
});

test("smaller messages count by their bytes, whatever time they take", () => {
  let nowMs = 1000;
  const share = new TurnShare(() => nowMs);
  const ticket = share.making(16_383, false);
  nowMs += 1000;
  share.made(ticket);
  assert.equal(share.isSpent, false);
  for (let message = 0; message < 63; message++) share.made(share.making(16_383, false));
  assert.equal(share.isSpent, true);
});

test("bytes count, and what may be inflated on the spot", () => {
  assert.equal(workOfMessage(1023, false), 1);
  assert.equal(workOfMessage(1024, false), 2);
  assert.equal(workOfMessage(4 * 1024 * 1024, false), 4097);
  assert.equal(workOfMessage(10, true), 129);
});
