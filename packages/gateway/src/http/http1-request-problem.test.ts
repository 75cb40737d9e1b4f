import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { findHeadProblem, findUpgradeProblem } from "./http1-request-problem.ts";

describe("the head of an HTTP/1.1 request", () => {
  it("is in order with one host and one length or coding", () => {
    assert.equal(findHeadProblem("1.1", ["Host", "a", "Content-Length", "3"]), undefined);
    assert.equal(findHeadProblem("1.1", ["Host", "a", "Transfer-Encoding", "Chunked"]), undefined);
    assert.equal(findHeadProblem("1.0", []), undefined);
  });

  for (const [title, version, fields, status] of [
    ["no host", "1.1", [], 400],
    ["two hosts", "1.1", ["Host", "a", "host", "a"], 400],
    ["two lengths that agree", "1.1", ["Host", "a", "Content-Length", "3", "content-length", "3"], 400],
    ["a length and a coding", "1.1", ["Host", "a", "Content-Length", "3", "Transfer-Encoding", "chunked"], 400],
    ["two codings", "1.1", ["Host", "a", "Transfer-Encoding", "chunked", "Transfer-Encoding", "chunked"], 400],
    ["a coding before chunked", "1.1", ["Host", "a", "Transfer-Encoding", "gzip, chunked"], 400],
    ["a coding in HTTP/1.0", "1.0", ["Transfer-Encoding", "chunked"], 400],
    ["101 fields", "1.1", Array.from({ length: 202 }, (_, at) => `x${at}`), 431],
  ] as const) {
    it(`is refused with ${title}`, () => {
      assert.equal(findHeadProblem(version, fields)?.status, status);
    });
  }

  it("may have 100 fields", () => {
    const others = Array.from({ length: 198 }, (_, at) => `x${at}`);
    assert.equal(findHeadProblem("1.1", ["Host", "a", ...others]), undefined);
  });
});

describe("a request for another protocol", () => {
  const status = (method: string, headers: Record<string, string>) => findUpgradeProblem({ method, headers })?.status;

  it("is in order where it is for a WebSocket, by GET and without a body", () => {
    assert.equal(status("GET", { upgrade: "WebSocket" }), undefined);
    assert.equal(status("GET", { upgrade: "websocket", "content-length": "0" }), undefined);
  });

  it("is refused otherwise", () => {
    assert.equal(status("POST", { upgrade: "websocket" }), 400);
    assert.equal(status("GET", { upgrade: "websocket", "content-length": "1" }), 400);
    assert.equal(status("GET", { upgrade: "websocket", "transfer-encoding": "chunked" }), 400);
    assert.equal(status("GET", { upgrade: "h2c" }), 501);
  });
});
