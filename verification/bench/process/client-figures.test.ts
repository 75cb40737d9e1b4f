import assert from "node:assert/strict";
import { test } from "node:test";
import { parseClientFigures } from "./client-figures.ts";

test("reads calls or messages, the seconds and the CPU time", () => {
  assert.deepEqual(parseClientFigures('{"calls":100,"seconds":1.5,"cpuMicros":90}'), {
    done: 100,
    seconds: 1.5,
    cpuMicros: 90,
  });
  assert.deepEqual(parseClientFigures('{"cpuMicros":90,"messages":7,"seconds":2}'), {
    done: 7,
    seconds: 2,
    cpuMicros: 90,
  });
});

test("a client without calls has no figure", () => {
  assert.throws(() => parseClientFigures('{"calls":0,"seconds":1,"cpuMicros":5}'), /no figures/);
});

test("refuses a line that is incomplete, lacks a field or is not an object", () => {
  for (const line of [
    '{"calls":100,"sec',
    '{"calls":100,"seconds":1}',
    '{"calls":"100","seconds":1,"cpuMicros":5}',
    "null",
    "",
  ]) {
    assert.throws(() => parseClientFigures(line), /no figures/);
  }
});
