import assert from "node:assert/strict";
import { it } from "node:test";
import { formatTable } from "./table.ts";

it("makes columns of equal width, whatever colours the cells have, without spaces at the ends of lines", () => {
  const rows = [
    ["\u001b[32mok\u001b[39m", "a"],
    ["failure", ""],
  ];
  assert.equal(formatTable(["A", "B"], rows), "A        B\n\u001b[32mok\u001b[39m       a\nfailure\n");
});

it("is empty without a header and rows", () => {
  assert.equal(formatTable([], []), "");
});
