import assert from "node:assert/strict";
import { test } from "node:test";
import { renderCodecTable } from "./table.ts";

test("shows Tercel's rate, and a factor above 1 if Tercel is faster", () => {
  const rows = [{ name: "Small decode", bytes: 36, microseconds: { tercel: 0.5, slow: 2, fast: 0.25 } }];
  const [, row = ""] = renderCodecTable(rows, ["tercel", "slow", "fast"]).split("\n");
  assert.deepEqual(row.split(/\s{2,}/), ["Small decode", "36", "2,000,000/s", "4.00", "0.50"]);
});
