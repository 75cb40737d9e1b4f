import assert from "node:assert/strict";
import { test } from "node:test";
import { TokenBucket } from "./token-bucket.ts";

/** How many tokens are there, at this time and without any passing. */
function drain(bucket: TokenBucket, nowMs: number): number {
  let taken = 0;
  while (taken < 10_000 && bucket.take(nowMs)) taken++;
  return taken;
}

test("gives the burst at once and not one more", () => {
  assert.equal(drain(new TokenBucket(5, 1), 0), 5);
  assert.equal(drain(new TokenBucket(0, 0), 0), 0);
});

test("fills up again at its rate, to the token", () => {
  const bucket = new TokenBucket(10, 2);
  drain(bucket, 1000);
  assert.equal(drain(bucket, 1499), 0);
  assert.equal(drain(bucket, 1500), 1);
  assert.equal(drain(bucket, 3000), 3);
});

test("keeps the fraction of a token between two takings", () => {
  const bucket = new TokenBucket(10, 1);
  drain(bucket, 0);
  for (let at = 100; at < 1000; at += 100) assert.equal(bucket.take(at), false);
  assert.equal(bucket.take(1001), true);
});

test("never holds more than the burst, however long it was left alone", () => {
  const bucket = new TokenBucket(3, 100);
  drain(bucket, 0);
  assert.equal(drain(bucket, 1_000_000), 3);
});

test("does not fill before the first token is taken", () => {
  const bucket = new TokenBucket(3, 100);
  assert.equal(drain(bucket, 1_000_000), 3);
});

test("takes refunds, up to the burst", () => {
  const bucket = new TokenBucket(3, 0);
  bucket.refund(2);
  assert.equal(drain(bucket, 0), 3);
  bucket.refund(1.5);
  assert.equal(drain(bucket, 0), 1);
  bucket.refund(0.5);
  assert.equal(drain(bucket, 0), 1);
  bucket.refund(100);
  assert.equal(drain(bucket, 0), 3);
});
