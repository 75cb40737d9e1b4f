import assert from "node:assert/strict";
import { test } from "node:test";
import { nearestName } from "./nearest-name.ts";

const known = ["host", "user-port", "order-port", "data-dir"];

const cases = [
  { promise: "a swapped pair of letters still finds its name", misspelt: "uesr-port", nearest: "user-port" },
  { promise: "a forgotten letter still finds its name", misspelt: "order-prt", nearest: "order-port" },
  { promise: "an extra letter still finds its name", misspelt: "hosts", nearest: "host" },
  { promise: "a third of the letters may be wrong", misspelt: "xxxr-port", nearest: "user-port" },
  { promise: "more than a third is another word", misspelt: "xxxx-port", nearest: undefined },
  { promise: "a very long argument is no near miss", misspelt: "x".repeat(100_000), nearest: undefined },
];

for (const { promise, misspelt, nearest } of cases) {
  test(promise, () => assert.equal(nearestName(misspelt, known), nearest));
}
