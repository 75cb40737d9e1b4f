import assert from "node:assert/strict";
import { test } from "node:test";
import { readResult } from "./run-tool.ts";

test("reads the number of cases, and the ids of failed ones", () => {
  const report = `Generic tests for HTTP/2 server
  1. Starting HTTP/2
    ✔ 1: Sends a client connection preface

Hypertext Transfer Protocol Version 2 (HTTP/2)
  5. Streams and Multiplexing
    5.1. Stream States
      × 8: closed: Sends a DATA frame after sending RST_STREAM frame
        -> The endpoint MUST treat this as a stream error of type STREAM_CLOSED.
      5.1.1. Stream Identifiers
        × 2: Sends stream identifier that is numerically smaller than previous

HPACK: Header Compression for HTTP/2
  2. Compression Process Overview
    2.3. Indexing Tables
      2.3.3. Index Address Space
        × 1: Sends a indexed header field representation with invalid index

Failures: 

Hypertext Transfer Protocol Version 2 (HTTP/2)
  5. Streams and Multiplexing
    5.1. Stream States
      × 8: closed: Sends a DATA frame after sending RST_STREAM frame

Finished in 14.3480 seconds
146 tests, 143 passed, 0 skipped, 3 failed`;
  assert.deepEqual(readResult(report.split("\n")), {
    total: 146,
    failed: ["http2/5.1/8", "http2/5.1.1/2", "hpack/2.3.3/1"],
  });
});
