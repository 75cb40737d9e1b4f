import assert from "node:assert/strict";
import { test } from "node:test";
import { parseOptions } from "./options.ts";

test("reads names and numbers, and leaves other options to the soak", () => {
  assert.deepEqual(parseOptions(["mixed", "--seconds=180"]), {
    names: ["mixed"],
    options: { seconds: 180, count: undefined, rate: undefined },
  });
});

test("refuses values other than whole numbers from 1, and unknown options", () => {
  for (const text of ["0", "-1", "1.5", "ten", ""]) {
    assert.throws(() => parseOptions([`--count=${text}`]), /--count is/);
  }
  assert.throws(() => parseOptions(["--minutes=3"]), /minutes/);
});
