import assert from "node:assert/strict";
import { test } from "node:test";
import { HeaderBlock } from "../hpack/index.ts";
import { RequestHead, requestHead } from "./request-head.ts";

const block = (...fields: string[]): HeaderBlock => new HeaderBlock(fields, 0, fields.length / 2, false);
const post = [":method", "POST", ":scheme", "http", ":path", "/a"];

test("takes a request apart", () => {
  const head = requestHead(block(":path", "/a?b", ":authority", "h:1", ":method", "PUT", ":scheme", "https", "x", "y"));
  assert.ok(head instanceof RequestHead);
  const { method, scheme, authority, path, fields, contentLength } = head;
  assert.deepEqual({ method, scheme, authority, path, fields, contentLength }, {
    method: "PUT", scheme: "https", authority: "h:1", path: "/a?b", fields: ["x", "y"], contentLength: -1,
  }); // biome-ignore format: one object
});

test("gives the same head for the same block, so that what was derived from it is found again", () => {
  const one = block(...post);
  assert.equal(requestHead(one), requestHead(one));
  assert.notEqual(requestHead(one), requestHead(block(...post)));
});

test("does not take another layer's memo for a head", () => {
  const one = block(...post);
  one.memo = { method: "GET" };
  assert.ok(requestHead(one) instanceof RequestHead);
});

test("takes the host for the authority where that is missing", () => {
  const head = requestHead(block(...post, "host", "h"));
  assert.equal(head instanceof RequestHead && head.authority, "h");
});

test("takes a host that is the authority", () => {
  assert.ok(
    requestHead(block(...post.slice(0, 2), ":authority", "h", ...post.slice(2), "host", "h")) instanceof RequestHead,
  );
});

test("takes a CONNECT that names only where to", () => {
  const head = requestHead(block(":method", "CONNECT", ":authority", "h:443"));
  assert.equal(head instanceof RequestHead && head.authority, "h:443");
});

test("reads the content length", () => {
  const head = requestHead(block(...post, "content-length", "12"));
  assert.equal(head instanceof RequestHead && head.contentLength, 12);
});

const malformed: readonly [what: string, fields: string[]][] = [
  ["an empty list", []],
  ["a missing :method", [":scheme", "http", ":path", "/"]],
  ["a missing :scheme", [":method", "GET", ":path", "/"]],
  ["a missing :path", [":method", "GET", ":scheme", "http"]],
  ["an empty :method", [":method", "", ":scheme", "http", ":path", "/"]],
  ["an empty :scheme", [":method", "GET", ":scheme", "", ":path", "/"]],
  ["an empty :path", [":method", "GET", ":scheme", "http", ":path", ""]],
  ["a second :method", [...post, ":method", "POST"]],
  ["a second :scheme", [...post, ":scheme", "http"]],
  ["a second :path", [...post, ":path", "/a"]],
  ["a second :authority", [...post, ":authority", "a", ":authority", "a"]],
  ["a second :method that is empty the first time", [":method", "", ...post]],
  ["a :status", [...post, ":status", "200"]],
  ["an unknown pseudo-header field", [...post, ":protocol", "x"]],
  ["a pseudo-header field after the others", [...post, "a", "b", ":authority", "h"]],
  ["a CONNECT with a :path", [":method", "CONNECT", ":authority", "h", ":path", "/"]],
  ["a CONNECT with a :scheme", [":method", "CONNECT", ":authority", "h", ":scheme", "http"]],
  ["a CONNECT that names no authority", [":method", "CONNECT"]],
  ["a host that is not the authority", [...post, ":authority", "a", "host", "b"]],
  ["a :path with a line break", [":method", "GET", ":scheme", "http", ":path", "/\r\n"]],
  ["a :path with a NUL", [":method", "GET", ":scheme", "http", ":path", "/a\0b"]],
  ["a name in capitals", [...post, "X-Y", "z"]],
  ["a hop-by-hop field", [...post, "connection", "close"]],
  ["two content lengths", [...post, "content-length", "1", "content-length", "2"]],
];

for (const [what, fields] of malformed) {
  test(`says what is wrong with ${what}`, () => {
    const said = requestHead(block(...fields));
    assert.equal(typeof said, "string");
    assert.ok((said as string).length > 5);
  });
}

test("shows only the beginning of a long pseudo-header field that it refuses", () => {
  const said = requestHead(block(`:${"x".repeat(10_000)}`, "y"));
  assert.ok(typeof said === "string" && said.length < 100);
});
