import assert from "node:assert/strict";
import { test } from "node:test";
import { HeaderBlock } from "../hpack/index.ts";
import { ResponseHead, responseHead, Trailers, trailers } from "./response-head.ts";

const block = (...fields: string[]): HeaderBlock => new HeaderBlock(fields, 0, fields.length / 2, false);

for (const status of [100, 200, 304, 599, 999]) {
  test(`takes the status ${status}`, () => {
    const head = responseHead(block(":status", String(status), "a", "b"));
    assert.ok(head instanceof ResponseHead);
    assert.equal(head.status, status);
    assert.deepEqual(head.fields, ["a", "b"]);
  });
}

const malformed: readonly [what: string, fields: string[]][] = [
  ["no status", []],
  ["fields without a status", ["a", "b"]],
  ["a status below 100", [":status", "099"]],
  ["a status of two digits", [":status", "99"]],
  ["a status of four digits", [":status", "1000"]],
  ["a status with a sign", [":status", "+20"]],
  ["a status with white space", [":status", "20 "]],
  ["a status in hexadecimal digits", [":status", "0xC"]],
  ["a status with an exponent", [":status", "2e2"]],
  ["a status with a decimal point", [":status", "20."]],
  ["an empty status", [":status", ""]],
  ["two of them", [":status", "200", ":status", "200"]],
  ["a request's pseudo-header field", [":status", "200", ":path", "/"]],
  ["a pseudo-header field after the others", ["a", "b", ":status", "200"]],
  ["a hop-by-hop field", [":status", "200", "upgrade", "h2c"]],
  ["a content length that is no number", [":status", "200", "content-length", "x"]],
];

for (const [what, fields] of malformed) {
  test(`says what is wrong with a response that has ${what}`, () => {
    assert.equal(typeof responseHead(block(...fields)), "string");
  });
}

test("gives the same head and the same trailers for the same block", () => {
  const head = block(":status", "200");
  assert.equal(responseHead(head), responseHead(head));
  const tail = block("a", "b");
  assert.equal(trailers(tail), trailers(tail));
});

test("takes trailers, an empty list too, and refuses pseudo-header fields in them", () => {
  assert.ok(trailers(block()) instanceof Trailers);
  assert.equal(typeof trailers(block(":status", "200")), "string");
  assert.equal(typeof trailers(block("a", "b", ":path", "/")), "string");
});
