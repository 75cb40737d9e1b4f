import assert from "node:assert/strict";
import { test } from "node:test";
import { RetryThrottle } from "./retry-throttle.ts";

test("throttles at half of the tokens and not above", () => {
  const throttle = new RetryThrottle({ maxTokens: 4, tokenRatio: 0.1 });
  throttle.failed();
  assert.equal(throttle.tokens, 3);
  assert.equal(throttle.isThrottling, false);
  throttle.failed();
  assert.equal(throttle.isThrottling, true);
  throttle.succeeded();
  assert.equal(throttle.tokens, 2.1);
  assert.equal(throttle.isThrottling, false);
});

test("never has fewer than no tokens, nor more than all", () => {
  const throttle = new RetryThrottle({ maxTokens: 2, tokenRatio: 0.7 });
  for (let at = 0; at < 5; at++) throttle.failed();
  assert.equal(throttle.tokens, 0);
  for (let at = 0; at < 5; at++) throttle.succeeded();
  assert.equal(throttle.tokens, 2);
});

test("counts three decimals of the ratio, exactly", () => {
  const throttle = new RetryThrottle({ maxTokens: 1000, tokenRatio: 0.5466 });
  for (let at = 0; at < 1000; at++) throttle.failed();
  for (let at = 0; at < 1000; at++) throttle.succeeded();
  assert.equal(throttle.tokens, 546);
});

test("takes over how full the throttle before it was", () => {
  const before = new RetryThrottle({ maxTokens: 10, tokenRatio: 1 });
  for (let at = 0; at < 5; at++) before.failed();
  const after = new RetryThrottle({ maxTokens: 100, tokenRatio: 1 }, before);
  assert.equal(after.tokens, 50);
  assert.equal(after.isThrottling, true);
});
