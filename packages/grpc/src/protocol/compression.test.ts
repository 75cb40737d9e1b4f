import assert from "node:assert/strict";
import { test } from "node:test";
import { Code } from "@connectrpc/connect";
import {
  type Compression,
  chooseRequestDecoding,
  chooseResponseDecoding,
  chooseResponseEncoding,
  formatAcceptEncoding,
  undeclaredCompressionError,
} from "./compression.ts";

function named(name: string): Compression {
  return { name, compress: (bytes) => bytes, decompress: (bytes) => bytes };
}

const gzip = named("gzip");
const zstd = named("zstd");
const both = [gzip, zstd];

test("reads a missing encoding and identity as no compression", () => {
  for (const encoding of [undefined, "identity"]) {
    assert.deepEqual(chooseRequestDecoding(encoding, both), { compression: undefined });
    assert.deepEqual(chooseResponseDecoding(encoding, []), { compression: undefined });
  }
});

test("finds a supported encoding", () => {
  assert.deepEqual(chooseRequestDecoding("zstd", both), { compression: zstd });
  assert.deepEqual(chooseResponseDecoding("gzip", both), { compression: gzip });
});

test("refuses an unknown request encoding as Unimplemented and names the supported ones", () => {
  for (const encoding of ["br", "GZIP", "", "gzip,zstd", "toString"]) {
    const choice = chooseRequestDecoding(encoding, both);
    assert.ok("error" in choice, encoding);
    assert.equal(choice.error.code, Code.Unimplemented);
    assert.match(choice.error.rawMessage, /supported are identity,gzip,zstd$/);
  }
});

test("refuses an unknown response encoding as Internal", () => {
  const choice = chooseResponseDecoding("br", []);
  assert.ok("error" in choice);
  assert.equal(choice.error.code, Code.Internal);
  assert.match(choice.error.rawMessage, /supported are identity$/);
});

test("answers in the first coding the client accepts that is supported", () => {
  assert.equal(chooseResponseEncoding("br,zstd,gzip", undefined, both), zstd);
  assert.equal(chooseResponseEncoding("identity , gzip", undefined, both), gzip);
  assert.equal(chooseResponseEncoding("br", gzip, both), undefined);
  assert.equal(chooseResponseEncoding("identity", gzip, both), undefined);
  assert.equal(chooseResponseEncoding(",,", gzip, both), undefined);
});

test("answers in the request's coding when the client accepts nothing explicitly", () => {
  assert.equal(chooseResponseEncoding(undefined, gzip, both), gzip);
  assert.equal(chooseResponseEncoding("", gzip, both), gzip);
  assert.equal(chooseResponseEncoding(undefined, undefined, both), undefined);
});

test("answers without compression where none is supported", () => {
  assert.equal(chooseResponseEncoding("gzip", undefined, []), undefined);
});

test("lists supported codings in order", () => {
  assert.equal(formatAcceptEncoding(both), "gzip,zstd");
  assert.equal(formatAcceptEncoding([]), "");
});

test("calls a compressed flag without an encoding Internal", () => {
  assert.equal(undeclaredCompressionError().code, Code.Internal);
});
