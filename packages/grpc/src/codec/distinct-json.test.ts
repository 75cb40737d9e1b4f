import assert from "node:assert/strict";
import { test } from "node:test";
import { fromJsonString } from "@bufbuild/protobuf";
import { ValueSchema } from "@bufbuild/protobuf/wkt";
import { parseDistinctJson } from "./distinct-json.ts";
import { createRandom, type Random } from "./testing/random-schema.ts";

const keys = ["a", "b", "\\u0061", 'q\\":', "", "__proto__", "a:b"];
const scalars = ["1", '"x"', '"\\":"', '":"', '"a :"', "null", "true", '"2024-01-01T00:00:00Z"'];

/** JSON with few keys, so that they come twice, and with blanks where JSON may have them. */
function randomJson(random: Random, depth: number): string {
  const pick = (list: readonly string[]) => list[random(list.length)] as string;
  const blank = () => (random(12) === 0 ? " " : "");
  const kind = depth === 0 ? 2 : random(4);
  const items = (make: () => string) => Array.from({ length: random(4) }, make).join(",");
  if (kind === 0) return `[${items(() => randomJson(random, depth - 1))}]`;
  if (kind === 1) {
    return `{${items(() => `"${pick(keys)}"${blank()}:${blank()}${randomJson(random, depth - 1)}`)}}`;
  }
  return `${blank()}${pick(scalars)}`;
}

test("is the value of texts that protobuf-es takes, and of none that it refuses", () => {
  const random = createRandom(1);
  let distinct = 0;
  let refused = 0;
  for (let n = 0; n < 20_000; n++) {
    const text = randomJson(random, 4);
    const value = parseDistinctJson(text);
    let isRefused = false;
    try {
      fromJsonString(ValueSchema, text);
    } catch {
      isRefused = true;
      refused++;
    }
    if (value === undefined) continue;
    assert.equal(isRefused, false, text);
    assert.deepEqual(value, JSON.parse(text));
    distinct++;
  }
  assert.ok(distinct > 5000 && refused > 1000, `${distinct} distinct, ${refused} refused`);
});

test("is undefined for what is not JSON, and for what nests deeper than messages do", () => {
  for (const text of ["", "{", '{"a":1,}', "[1] 2"]) assert.equal(parseDistinctJson(text), undefined, text);
  const depth = 100_000;
  assert.equal(parseDistinctJson("[".repeat(depth) + "]".repeat(depth)), undefined);
  assert.deepEqual(parseDistinctJson('{"a":{"a":[{"a":1}]}}'), { a: { a: [{ a: 1 }] } });
});

test("is undefined where a key comes twice, however it is written", () => {
  for (const text of [
    '{"a":1,"a":2}',
    '{"a":1,"\\u0061":2}',
    '{"a" :1,"a":2}',
    '{"a":1,"a"\n:"\\":"}',
    '[{"b":{"":1,"":1}}]',
  ]) {
    assert.equal(parseDistinctJson(text), undefined, text);
  }
});
