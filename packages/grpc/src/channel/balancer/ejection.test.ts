import assert from "node:assert/strict";
import { test } from "node:test";
import { EjectionRecord, type EjectionSettings, endInterval } from "./ejection.ts";

const base: EjectionSettings = {
  baseEjectionTimeMs: 30_000,
  maxEjectionTimeMs: 300_000,
  maxEjectionPercent: 100,
  successRate: undefined,
  failurePercentage: undefined,
  consecutiveDeadlines: undefined,
};
const percentage = { threshold: 85, enforcementPercentage: 100, minimumHosts: 1, requestVolume: 10 };
const rate = { stdevFactor: 1900, enforcementPercentage: 100, minimumHosts: 1, requestVolume: 10 };

function recordsOf(...counts: (readonly [succeeded: number, failed: number])[]): EjectionRecord[] {
  return counts.map(([succeeded, failed]) => Object.assign(new EjectionRecord(), { succeeded, failed }));
}

function ejectedOf(records: readonly EjectionRecord[]): number[] {
  return records.flatMap((record, i) => (record.ejectedAtMs === undefined ? [] : [i]));
}

const never = () => assert.fail("nothing is drawn");
const always = () => 0;

test("by failure percentage ejects who fails more than the threshold", () => {
  const records = recordsOf([15, 85], [14, 86], [100, 0]);
  endInterval(records, { ...base, failurePercentage: percentage }, 1000, always);
  assert.deepEqual(ejectedOf(records), [1]);
  assert.equal(records[1]?.ejectedAtMs, 1000);
  assert.equal(records[1]?.multiplier, 1);
});

test("by failure percentage judges no one by too few calls, nor among too few endpoints", () => {
  const few = recordsOf([0, 9], [0, 10], [10, 0]);
  endInterval(few, { ...base, failurePercentage: { ...percentage, minimumHosts: 2 } }, 0, always);
  assert.deepEqual(ejectedOf(few), [1]);
  const fewer = recordsOf([0, 9], [0, 10], [9, 0]);
  endInterval(fewer, { ...base, failurePercentage: { ...percentage, minimumHosts: 2 } }, 0, never);
  assert.deepEqual(ejectedOf(fewer), []);
});

test("by success rate ejects who is further below the mean than the factor allows", () => {
  // Mean 0.875 and deviation 0.2165: the limit is 0.4637.
  const records = recordsOf([100, 0], [100, 0], [100, 0], [50, 50]);
  endInterval(records, { ...base, successRate: rate }, 0, never);
  assert.deepEqual(ejectedOf(records), []);
  const again = recordsOf([100, 0], [100, 0], [100, 0], [50, 50]);
  endInterval(again, { ...base, successRate: { ...rate, stdevFactor: 1700 } }, 0, always);
  assert.deepEqual(ejectedOf(again), [3], "the limit is 0.507");
});

test("by success rate leaves endpoints with too few calls out of the mean", () => {
  const records = recordsOf([100, 0], [100, 0], [100, 0], [100, 0], [100, 0], [80, 20], [0, 9]);
  endInterval(records, { ...base, successRate: { ...rate, minimumHosts: 6 } }, 0, always);
  assert.deepEqual(ejectedOf(records), [5]);
  const tooFew = recordsOf([100, 0], [80, 20]);
  endInterval(tooFew, { ...base, successRate: { ...rate, minimumHosts: 3 } }, 0, never);
  assert.deepEqual(ejectedOf(tooFew), []);
});

test("ejects with the chance that it is told", () => {
  for (const [drawn, expected] of [
    [0.49, [0]],
    [0.5, []],
  ] as const) {
    const records = recordsOf([0, 100], [100, 0]);
    endInterval(records, { ...base, failurePercentage: { ...percentage, enforcementPercentage: 50 } }, 0, () => drawn);
    assert.deepEqual(ejectedOf(records), expected);
  }
});

test("ejects no more once the share of ejected endpoints is reached, but at least one", () => {
  const bad = () => recordsOf([0, 100], [0, 100], [0, 100], [0, 100]);
  for (const [maxEjectionPercent, expected] of [
    [0, 0],
    [1, 1],
    [25, 1],
    [26, 2],
    [100, 4],
  ] as const) {
    const records = bad();
    endInterval(records, { ...base, maxEjectionPercent, failurePercentage: percentage }, 0, always);
    assert.equal(ejectedOf(records).length, expected, `${maxEjectionPercent} %`);
  }
});

test("lets an endpoint back when its time is over, which grows with each ejection in a row", () => {
  const [record] = recordsOf([0, 100]);
  assert.ok(record);
  const settings = { ...base, maxEjectionTimeMs: 70_000, failurePercentage: percentage };
  const times: number[] = [];
  let nowMs = 0;
  for (let i = 0; i < 4; i += 1) {
    record.failed = 100;
    endInterval([record], settings, nowMs, always);
    const sinceMs = nowMs;
    while (record.ejectedAtMs !== undefined) {
      nowMs += 1000;
      endInterval([record], settings, nowMs, always);
    }
    times.push(nowMs - sinceMs);
  }
  assert.deepEqual(times, [30_000, 60_000, 70_000, 70_000]);
});

test("forgives one ejection with each interval of good behaviour", () => {
  const [record] = recordsOf([100, 0]);
  assert.ok(record);
  record.multiplier = 2;
  for (const expected of [1, 0, 0]) {
    endInterval([record], { ...base, failurePercentage: percentage }, 0, never);
    assert.equal(record.multiplier, expected);
  }
});

test("counts each interval again", () => {
  const records = recordsOf([0, 9]);
  endInterval(records, { ...base, failurePercentage: percentage }, 0, never);
  Object.assign(records[0] ?? {}, { failed: 9 });
  endInterval(records, { ...base, failurePercentage: percentage }, 0, never);
  assert.deepEqual(ejectedOf(records), []);
});
