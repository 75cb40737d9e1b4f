import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { describe, it } from "node:test";
import { ContentDigest } from "./content-digest.ts";

describe("ContentDigest", () => {
  for (const pieces of [[], ["a"], ["a", "b"], ["", "a"], ["a", "", "b", "c"]]) {
    it(`is that of all pieces together: ${JSON.stringify(pieces)}`, () => {
      const digest = new ContentDigest();
      for (const piece of pieces) digest.update(Buffer.from(piece));
      assert.equal(digest.digest(), createHash("sha256").update(pieces.join("")).digest("hex"));
    });
  }
});
