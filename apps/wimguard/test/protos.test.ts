import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";

const protos = join(import.meta.dirname, "../proto/wimguard/v1");

describe("backup.proto", () => {
  it("is the published one, byte for byte: clients in other languages were generated from it", () => {
    const digest = createHash("sha256")
      .update(readFileSync(join(protos, "backup.proto")))
      .digest("hex");
    assert.equal(digest, "df1ec9484a8064abba37b57c3bc4c0ea5644103650ec4271925b7308c730dfb8");
  });
});
