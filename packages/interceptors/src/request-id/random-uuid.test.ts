import assert from "node:assert/strict";
import { it } from "node:test";
import { randomUuid } from "./random-uuid.ts";

it("a random UUID has version, variant and dashes, and is unique over many batches", () => {
  const seen = new Set<string>();
  for (let made = 0; made < 1000; made++) {
    const id = randomUuid();
    assert.match(id, /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    seen.add(id);
  }
  assert.equal(seen.size, 1000);
  // All other digits have every value.
  for (const at of [0, 7, 9, 12, 15, 17, 20, 22, 24, 35]) {
    assert.equal(new Set([...seen].map((id) => id[at])).size, 16);
  }
});
