import assert from "node:assert/strict";
import { describe, it } from "node:test";
import * as fc from "fast-check";
import { JsonSplitter } from "./json-splitter.ts";
import type { JsonText } from "./json-text.ts";

function split(...parts: string[]): JsonText[] {
  const splitter = new JsonSplitter("stdin");
  return [...parts.flatMap((part) => splitter.push(part)), ...splitter.end()];
}

function texts(...parts: string[]): string[] {
  return split(...parts).map(({ text }) => text);
}

describe("the splitter of JSON streams", () => {
  it("cuts values apart, whether lines do or not", () => {
    assert.deepEqual(texts('{"a":1}\n{"b":2}\n'), ['{"a":1}', '{"b":2}']);
    assert.deepEqual(texts('{"a":1}{"b":2} [3]'), ['{"a":1}', '{"b":2}', "[3]"]);
    assert.deepEqual(texts('{\n  "a": [1,\n 2]\n}\n\n"text" 7\ntrue\n'), [
      '{\n  "a": [1,\n 2]\n}',
      '"text"',
      "7",
      "true",
    ]);
  });

  it("is not misled by brackets and quotes in texts", () => {
    assert.deepEqual(texts('{"a":"}{\\"]"}{"b":"\\\\"}'), ['{"a":"}{\\"]"}', '{"b":"\\\\"}']);
  });

  it("knows where each value begins", () => {
    const places = split('{"a":\n1}  {"b":2}\n\n  {"c":3}').map(({ line, column }) => [line, column]);
    assert.deepEqual(places, [
      [1, 1],
      [2, 5],
      [4, 3],
    ]);
  });

  it("hands out half of a value at the end, for the parser to refuse", () => {
    assert.deepEqual(texts('{"a":'), ['{"a":']);
    assert.deepEqual(texts("  \n "), []);
  });

  it("finds the same values wherever the stream is cut", () => {
    const stream = '{"a":"x\\"{"}\n[1,{"b":2}]{"c":3}\n"t"\n12\n';
    const whole = split(stream);
    fc.assert(
      fc.property(fc.nat(stream.length), fc.nat(stream.length), (one, other) => {
        const [from, to] = [Math.min(one, other), Math.max(one, other)];
        assert.deepEqual(split(stream.slice(0, from), stream.slice(from, to), stream.slice(to)), whole);
      }),
    );
  });

  it("knows whether a value has begun", () => {
    const splitter = new JsonSplitter("input");
    assert.equal(splitter.isInside, false);
    splitter.push('{"a":');
    assert.equal(splitter.isInside, true);
    splitter.push("1}");
    assert.equal(splitter.isInside, false);
  });
});
