import assert from "node:assert/strict";
import { test } from "node:test";
import { pageOf } from "./page-rules.ts";

const cases = [
  { promise: "nothing asked for is the first page of ten", asked: [0, 0], meant: { page: 1, pageSize: 10 } },
  { promise: "negative numbers mean the defaults", asked: [-1, -1], meant: { page: 1, pageSize: 10 } },
  { promise: "the smallest numbers are kept", asked: [1, 1], meant: { page: 1, pageSize: 1 } },
  { promise: "a page of 100 is kept", asked: [2, 100], meant: { page: 2, pageSize: 100 } },
  { promise: "a page of 101 becomes one of 100", asked: [2, 101], meant: { page: 2, pageSize: 100 } },
] as const;

for (const { promise, asked, meant } of cases) {
  test(promise, () => assert.deepEqual(pageOf(asked[0], asked[1]), meant));
}
