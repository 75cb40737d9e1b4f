import assert from "node:assert/strict";
import { test } from "node:test";
import { TurnShare, workOfMessage } from "./turn-share.ts";

test("a share lasts for 1024 small messages, and is whole again in the next turn", async () => {
  const share = new TurnShare();
  for (let round = 0; round < 2; round++) {
    for (let message = 0; message < 1023; message++) share.spend(workOfMessage(0, false));
    assert.equal(share.isSpent, false);
    share.spend(workOfMessage(0, false));
    assert.equal(share.isSpent, true);
    await share.renewed();
  }
  assert.equal(share.isSpent, false);
});

test("bytes count, and what may be inflated on the spot", () => {
  assert.equal(workOfMessage(1023, false), 1);
  assert.equal(workOfMessage(1024, false), 2);
  assert.equal(workOfMessage(4 * 1024 * 1024, false), 4097);
  assert.equal(workOfMessage(10, true), 129);
});
