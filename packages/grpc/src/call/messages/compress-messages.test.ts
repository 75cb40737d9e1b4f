import assert from "node:assert/strict";
import { test } from "node:test";
import { createContextValues } from "@connectrpc/connect";
import { gzipCompression } from "../../protocol/gzip-compression.ts";
import { compressionForMessage, compressMessages } from "./compress-messages.ts";

test("goes by the size at both edges while no one has chosen", () => {
  assert.equal(compressionForMessage(gzipCompression, 1023, 1024, undefined), undefined);
  assert.equal(compressionForMessage(gzipCompression, 1024, 1024, undefined), gzipCompression);
  assert.equal(compressionForMessage(gzipCompression, 1024, 1024, createContextValues()), gzipCompression);
});

test("compresses the smallest message where that is asked for", () => {
  const values = createContextValues().set(compressMessages, true);
  assert.equal(compressionForMessage(gzipCompression, 0, 1024, values), gzipCompression);
});

test("leaves the largest message as it is where that is asked for, until the choice is taken back", () => {
  const values = createContextValues().set(compressMessages, false);
  assert.equal(compressionForMessage(gzipCompression, 1 << 20, 1024, values), undefined);
  values.set(compressMessages, undefined);
  assert.equal(compressionForMessage(gzipCompression, 1 << 20, 1024, values), gzipCompression);
});

test("compresses nothing when no encoding was agreed on, whatever was asked for", () => {
  const values = createContextValues().set(compressMessages, true);
  assert.equal(compressionForMessage(undefined, 1 << 20, 0, values), undefined);
});
