import assert from "node:assert/strict";
import { test } from "node:test";
import { parseH2loadOutput } from "./h2load-output.ts";

const OUTPUT = `starting benchmark...
spawning thread #0: 10 total client(s). Timing-based test with 0s of warm-up time and 2s of main duration for measurements.
Application protocol: h2c
Main benchmark duration is over for thread #0. Stopping all clients.

finished in 2.00s, 70022.50 req/s, 3.96MB/s
requests: 140045 total, 140145 started, 140045 done, 140045 succeeded, 0 failed, 0 errored, 0 timeout
status codes: 140045 2xx, 0 3xx, 0 4xx, 0 5xx
traffic: 7.92MB (8309022) total, 411.02KB (420885) headers (space savings 96.29%), 3.61MB (3781215) data
                     min         max         mean         sd        +/- sd
time for request:      109us     13.43ms      1.42ms       692us    95.74%
`;

test("reads the rate, the successful requests and their bytes", () => {
  assert.deepEqual(parseH2loadOutput(OUTPUT, 27), {
    requestsPerSecond: 70022.5,
    succeeded: 140045,
    dataBytes: 3781215,
  });
});

test("computes the rate from the elapsed time, not from the requested time", () => {
  // 500 ms were requested. h2load would report 43,700 requests per second.
  const overrun = OUTPUT.replace("2.00s, 70022.50", "602.56ms, 43700.00").replaceAll("140045", "21850");
  assert.equal(Math.round(parseH2loadOutput(overrun, 27).requestsPerSecond), 36262);
});

test("accepts responses of exactly the minimum size and refuses one byte less", () => {
  const exact = OUTPUT.replace("(3781215) data", `(${140045 * 27}) data`);
  assert.equal(parseH2loadOutput(exact, 27).dataBytes, 140045 * 27);
  const short = OUTPUT.replace("(3781215) data", `(${140045 * 27 - 1}) data`);
  assert.throws(() => parseH2loadOutput(short, 27), /calls failed with a gRPC status/);
});

test("a run with a failed, errored or timed out request has no figure", () => {
  for (const what of ["failed", "errored", "timeout"]) {
    assert.throws(() => parseH2loadOutput(OUTPUT.replace(`0 ${what}`, `1 ${what}`), 27), /of 140045 requests/);
  }
  assert.throws(
    () => parseH2loadOutput(OUTPUT.replace("140045 succeeded", "140044 succeeded"), 27),
    /of 140045 requests/,
  );
});

test("a run with a response other than 2xx has no figure", () => {
  assert.throws(
    () => parseH2loadOutput(OUTPUT.replace("140045 2xx, 0 3xx", "140044 2xx, 1 3xx"), 27),
    /1 of 140045 requests/,
  );
});

test("a run without responses has no figure", () => {
  assert.throws(() => parseH2loadOutput(OUTPUT.replaceAll("140045", "0"), 27), /no request got a response/);
});

test("refuses an unknown output and quotes its end", () => {
  assert.throws(
    () => parseH2loadOutput("Could not connect to host\n", 27),
    /said something unknown: "Could not connect to host"/,
  );
});
