import assert from "node:assert/strict";
import { test } from "node:test";
import { readableMetadata } from "./readable-metadata.ts";

const noSecrets = (): boolean => false;

for (const [base64, bytes] of [
  ["", 0],
  ["AA==", 1],
  ["AA", 1],
  ["AAE=", 2],
  ["AAE", 2],
  ["AAEC", 3],
  ["AAECAw==", 4],
] as const) {
  test(`shows only the length of ${base64 || "an empty value"}: ${bytes} bytes`, () => {
    const shown = readableMetadata(new Headers({ "x-bin": base64 }), true, noSecrets, 256);
    assert.deepEqual({ ...shown }, { "x-bin": `${bytes} bytes` });
  });
}

test("handles a long value that has only padding", () => {
  const shown = readableMetadata(new Headers({ "x-bin": `${"=".repeat(16_000)}A` }), ["x-bin"], noSecrets, 256);
  assert.equal(shown["x-bin"], "12000 bytes");
});
