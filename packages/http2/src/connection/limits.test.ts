import assert from "node:assert/strict";
import { test } from "node:test";
import { type ConnectionLimits, defaultLimits, resolveLimits } from "./limits.ts";

test("gives the defaults, and a copy of them that may be changed", () => {
  const limits = resolveLimits();
  assert.deepEqual(limits, defaultLimits);
  assert.notEqual(limits, defaultLimits);
});

test("lays what is given over the defaults, 0 too, and leaves out what is undefined", () => {
  const limits = resolveLimits({
    maxConcurrentStreams: 0,
    maxIdleMs: 0,
    glitchBurst: undefined,
  } as unknown as Partial<ConnectionLimits>);
  assert.deepEqual(limits, { ...defaultLimits, maxConcurrentStreams: 0, maxIdleMs: 0 });
});

const edges: readonly [name: keyof ConnectionLimits, min: number, max: number][] = [
  ["maxConcurrentStreams", 0, 2 ** 31 - 1],
  ["streamWindowBytes", 1, 2 ** 31 - 1],
  ["connectionWindowBytes", 65_535, 2 ** 31 - 1],
  ["maxReceiveWindowBytes", 0, 2 ** 31 - 1],
  ["maxFrameBytes", 16_384, 16_777_215],
  ["headerTableBytes", 0, 65_536],
  ["streamSendBufferBytes", 1, Number.MAX_SAFE_INTEGER],
  ["connectionSendBufferBytes", 1, Number.MAX_SAFE_INTEGER],
  ["maxFramesPerTurn", 1, Number.MAX_SAFE_INTEGER],
  ["maxHeaderFields", 0, Number.MAX_SAFE_INTEGER],
];

for (const [name, min, max] of edges) {
  test(`takes ${name} from ${min} to ${max} and nothing outside`, () => {
    for (const value of [min, max]) assert.equal(resolveLimits({ [name]: value })[name], value);
    for (const value of [min - 1, max + 1, 1.5, Number.NaN, Number.POSITIVE_INFINITY]) {
      assert.throws(() => resolveLimits({ [name]: value }), (error: Error) => error instanceof RangeError && error.message.includes(name) && error.message.includes(String(value))); // biome-ignore format: one condition
    }
  });
}

test("calls a header list large at half of what is allowed, unless that is said by name", () => {
  assert.equal(resolveLimits().largeHeaderListBytes, 8_192);
  assert.equal(resolveLimits({ maxHeaderListBytes: 65_537 }).largeHeaderListBytes, 32_768);
  assert.equal(resolveLimits({ maxHeaderListBytes: 65_536, largeHeaderListBytes: 0 }).largeHeaderListBytes, 0);
});

for (const name of ["maxStreams", "toString", "__proto__", "constructor"]) {
  test(`refuses the unknown limit ${name} and says what is known`, () => {
    const given = Object.fromEntries([[name, 1]]);
    assert.throws(() => resolveLimits(given), /unknown limit.*maxConcurrentStreams/);
  });
}

test("keeps windows from growing when one is given, unless that is allowed by name", () => {
  assert.equal(resolveLimits().maxReceiveWindowBytes, 16_777_216);
  assert.equal(resolveLimits({ streamWindowBytes: 65_535 }).maxReceiveWindowBytes, 0);
  assert.equal(resolveLimits({ connectionWindowBytes: 65_535 }).maxReceiveWindowBytes, 0);
  assert.equal(resolveLimits({ streamWindowBytes: 65_535, maxReceiveWindowBytes: 1 }).maxReceiveWindowBytes, 1);
});
