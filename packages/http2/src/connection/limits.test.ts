import assert from "node:assert/strict";
import { test } from "node:test";
import { type ConnectionLimitOptions, type ConnectionLimits, defaultLimits, resolveLimits } from "./limits.ts";

test("gives the defaults, and a copy of them that may be changed", () => {
  const limits = resolveLimits();
  assert.deepEqual(limits, defaultLimits);
  assert.notEqual(limits, defaultLimits);
  assert.notEqual(limits.budgets.glitches, defaultLimits.budgets.glitches);
});

test("lays what is given over the defaults, 0 too, and leaves out what is undefined", () => {
  const limits = resolveLimits({
    streams: { maxConcurrent: 0 },
    life: { maxIdleMs: 0, maxAgeMs: undefined },
    budgets: { glitches: { burst: undefined, perSecond: 7 }, refusals: undefined },
    frames: undefined,
  });
  assert.deepEqual(limits, {
    ...defaultLimits,
    streams: { ...defaultLimits.streams, maxConcurrent: 0 },
    life: { ...defaultLimits.life, maxIdleMs: 0 },
    budgets: { ...defaultLimits.budgets, glitches: { burst: 1000, perSecond: 7 } },
  });
});

const edges: readonly [path: string, min: number, max: number][] = [
  ["streams.maxConcurrent", 0, 2 ** 31 - 1],
  ["windows.streamBytes", 1, 2 ** 31 - 1],
  ["windows.connectionBytes", 65_535, 2 ** 31 - 1],
  ["windows.maxBytes", 0, 2 ** 31 - 1],
  ["frames.maxBytes", 16_384, 16_777_215],
  ["frames.maxPerTurn", 1, Number.MAX_SAFE_INTEGER],
  ["headers.tableBytes", 0, 65_536],
  ["headers.maxFields", 0, Number.MAX_SAFE_INTEGER],
  ["output.streamBufferBytes", 1, Number.MAX_SAFE_INTEGER],
  ["output.connectionBufferBytes", 1, Number.MAX_SAFE_INTEGER],
  ["budgets.peerResets.burst", 0, Number.MAX_SAFE_INTEGER],
];

/** The limit at `path`, alone. */
function only(path: string, value: unknown): ConnectionLimitOptions {
  const names = path.split(".").reverse();
  return names.reduce((inner: unknown, name) => ({ [name]: inner }), value) as ConnectionLimitOptions;
}

function at(limits: ConnectionLimits, path: string): unknown {
  return path.split(".").reduce((inner: unknown, name) => (inner as Record<string, unknown>)[name], limits);
}

for (const [path, min, max] of edges) {
  test(`takes ${path} from ${min} to ${max} and nothing outside`, () => {
    for (const value of [min, max]) assert.equal(at(resolveLimits(only(path, value)), path), value);
    for (const value of [min - 1, max + 1, 1.5, Number.NaN, Number.POSITIVE_INFINITY]) {
      const message = `the limit ${path} is ${value}; it has to be a whole number from ${min} to ${max}`;
      assert.throws(() => resolveLimits(only(path, value)), new RangeError(message));
    }
  });
}

test("calls a header list large at half of what is allowed, unless that is said by name", () => {
  const largeListBytes = (headers: ConnectionLimitOptions["headers"]) =>
    resolveLimits({ headers }).headers.largeListBytes;
  assert.equal(largeListBytes({}), 8_192);
  assert.equal(largeListBytes({ maxListBytes: 65_537 }), 32_768);
  assert.equal(largeListBytes({ maxListBytes: 65_536, largeListBytes: 0 }), 0);
});

for (const name of ["maxConcurentStreams", "toString", "__proto__", "constructor"]) {
  test(`refuses the unknown limit ${name} and says what is known`, () => {
    const given = Object.fromEntries([[name, 1]]);
    assert.throws(() => resolveLimits(given), /^RangeError: unknown limit ".*"; known are streams, headers, /);
    const nested = { streams: given } as ConnectionLimitOptions;
    assert.throws(() => resolveLimits(nested), /unknown limit "streams\..*"; known are streams.maxConcurrent, /);
  });
}

test("says what belongs where a number stands for a group, or a group for a number", () => {
  assert.throws(() => resolveLimits(only("streams", 5)), /the limit streams is 5; .* an object with maxConcurrent, /);
  assert.throws(() => resolveLimits(only("streams", null)), /the limit streams is null; it has to be an object with /);
  assert.throws(() => resolveLimits(only("streams.maxId", {})), /the limit streams.maxId is object; .* a whole number/);
});

test("keeps windows from growing when one is given, unless that is allowed by name", () => {
  const maxBytes = (windows: ConnectionLimitOptions["windows"]) => resolveLimits({ windows }).windows.maxBytes;
  assert.equal(maxBytes({}), 16_777_216);
  assert.equal(maxBytes({ streamBytes: 65_535 }), 0);
  assert.equal(maxBytes({ connectionBytes: 65_535 }), 0);
  assert.equal(maxBytes({ streamBytes: 65_535, maxBytes: 1 }), 1);
});
