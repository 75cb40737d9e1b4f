import assert from "node:assert/strict";
import { test } from "node:test";
import { joinName, splitName } from "./person-name.ts";

const names = [
  { promise: "one word is a first name", full: "Ada", first: "Ada", last: "" },
  { promise: "two words are first and last name", full: "Ada Lovelace", first: "Ada", last: "Lovelace" },
  {
    promise: "all that follows the first word is the last name",
    full: "Ada King Noel",
    first: "Ada",
    last: "King Noel",
  },
  { promise: "spaces between the two belong to neither", full: "Ada   Noel", first: "Ada", last: "Noel" },
];

for (const { promise, full, first, last } of names) {
  test(promise, () => assert.deepEqual(splitName(full), { full, first, last }));
}

test("joins two parts with a space, and keeps the parts", () => {
  assert.deepEqual(joinName("Mary Ann", "Noel"), { full: "Mary Ann Noel", first: "Mary Ann", last: "Noel" });
  assert.equal(joinName("Ada", "").full, "Ada");
});
