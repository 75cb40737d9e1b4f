import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { findPartialProblem, HeadReader } from "./request-head.ts";

const fields = "host: a\r\n\r\n";
const statusOf = (text: string) => {
  const head = new HeadReader().read(text);
  return "problem" in head ? head.status : undefined;
};

describe("the head of a request", () => {
  it("is parsed into a request line and fields", () => {
    const head = new HeadReader().read(`GET /a?b=%20 HTTP/1.1\r\n${fields}`);
    assert.ok(!("problem" in head));
    const { method, target, version, block } = head;
    assert.deepEqual([method, target, version, block.fields], ["GET", "/a?b=%20", "1.1", ["host", "a"]]);
  });

  for (const [title, line, status] of [
    ["no target", "GET HTTP/1.1", 400],
    ["two blanks", "GET  / HTTP/1.1", 400],
    ["a tab", "GET\t/\tHTTP/1.1", 400],
    ["a blank at its start", " GET / HTTP/1.1", 400],
    ["a blank at its end", "GET / HTTP/1.1 ", 400],
    ["no version", "GET /", 400],
    ["a version in lower case", "GET / http/1.1", 400],
    ["another version", "GET / HTTP/2.0", 505],
    ["HTTP/1.2", "GET / HTTP/1.2", 505],
    ["a method in lower case", "get / HTTP/1.1", 501],
    ["a method that no one knows", "FETCH / HTTP/1.1", 501],
    ["a method that is not a token", "G(T / HTTP/1.1", 400],
    ["a character beyond ASCII in the target", "GET /\xe9 HTTP/1.1", 400],
    ["a control character in the target", "GET /\x01 HTTP/1.1", 400],
    ["a whole URL", "GET http://a/ HTTP/1.1", 400],
    ["a path without a slash", "GET a HTTP/1.1", 400],
    ["a request for a tunnel", "CONNECT a:80 HTTP/1.1", 501],
  ] as const) {
    it(`is refused with ${title}`, () => {
      assert.equal(statusOf(`${line}\r\n${fields}`), status);
    });
  }

  it("is cached when a client sends the same head or the same fields again", () => {
    const reader = new HeadReader();
    const read = (target: string, version = "1.1") => {
      const head = reader.read(`GET ${target} HTTP/${version}\r\nhost: a\r\n\r\n`);
      assert.ok(!("problem" in head));
      return head;
    };
    const first = read("/a");
    assert.equal(read("/a"), first);
    const other = read("/b");
    assert.notEqual(other, first);
    assert.equal(other.target, "/b");
    assert.equal(other.block, first.block);
    assert.notEqual(read("/b", "1.0").block, first.block);
  });

  it("is parsed from its own text only, whatever was sent before on the connection", () => {
    const reader = new HeadReader();
    const read = (text: string) => {
      const head = reader.read(text);
      return "problem" in head ? head.problem : [head.version, head.block.fields, head.block.contentLength];
    };
    const long = "x".repeat(4000);
    for (let time = 0; time < 2; time++) {
      assert.deepEqual(read(`GET / HTTP/1.1\r\n${fields}`), ["1.1", ["host", "a"], 0]);
      assert.deepEqual(read(`GET / HTTP/1.0\r\n${fields}`), ["1.0", ["host", "a"], 0]);
      assert.deepEqual(read("POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 3\r\n\r\n"), [
        ...["1.1", ["host", "a", "content-length", "3"]],
        3,
      ]);
      assert.deepEqual(read("POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 4\r\n\r\n"), [
        ...["1.1", ["host", "a", "content-length", "4"]],
        4,
      ]);
      assert.deepEqual(read(`GET / HTTP/1.1\r\nhost: a\r\nx: ${long}\r\n\r\n`), ["1.1", ["host", "a", "x", long], 0]);
      assert.equal(read("GET / HTTP/1.1\r\n\r\n"), "missing host");
      assert.deepEqual(read("GET / HTTP/1.0\r\n\r\n"), ["1.0", [], 0]);
    }
  });
});

describe("an incomplete head", () => {
  it("is waited for as long as it can become valid", () => {
    for (const text of ["", "G", "GET / HTTP/1.1\r", "GET / HTTP/1.1\r\nhost: a\r\n", "\xe9"]) {
      assert.equal(findPartialProblem(text), undefined, JSON.stringify(text));
    }
  });

  it("is refused as soon as it cannot become valid", () => {
    for (const text of ["\n", "GET / HTTP/1.1\n", "a\r\n\n", "a\rb", "\0", "a\x7f", "\x16\x03\x01"]) {
      assert.equal(findPartialProblem(text)?.status, 400, JSON.stringify(text));
    }
  });
});
