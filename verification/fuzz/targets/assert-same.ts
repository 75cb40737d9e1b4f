import assert from "node:assert/strict";

/** Like `assert.deepEqual`, which shows differences well but is too slow for equal values. */
export function assertSameTexts(actual: readonly string[], expected: readonly string[]): void {
  let isSame = actual.length === expected.length;
  for (let at = 0; isSame && at < actual.length; at++) isSame = actual[at] === expected[at];
  if (!isSame) assert.deepEqual(actual, expected);
}

export function assertSameBytes(actual: Uint8Array, expected: Uint8Array): void {
  if (Buffer.compare(actual, expected) !== 0) assert.deepEqual(actual, expected);
}
