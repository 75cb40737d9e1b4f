import assert from "node:assert/strict";
import { test } from "node:test";
import { parseOptions } from "./options.ts";

test("reads names and numbers, and leaves what is not said to the soak", () => {
  assert.deepEqual(parseOptions(["mixed", "--seconds=180"]), {
    names: ["mixed"],
    options: { seconds: 180, count: undefined, rate: undefined },
  });
});

test("refuses what is not a whole number from 1 on, and unknown options", () => {
  for (const text of ["0", "-1", "1.5", "ten", ""]) {
    assert.throws(() => parseOptions([`--count=${text}`]), /--count is/);
  }
  assert.throws(() => parseOptions(["--minutes=3"]), /minutes/);
});
