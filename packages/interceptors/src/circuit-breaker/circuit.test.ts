import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type Admitted, Circuit, type CircuitSettings } from "./circuit.ts";

const settings: CircuitSettings = {
  failureThreshold: Number.POSITIVE_INFINITY,
  failureRate: 0.5,
  minCalls: 4,
  windowMs: 1000,
  openMs: 5000,
  halfOpenCalls: 2,
};

function createTried(changes: Partial<CircuitSettings> = {}) {
  const states: string[] = [];
  const circuit = new Circuit({ ...settings, ...changes }, (from, to) => states.push(`${from} ${to}`));
  const time = { nowMs: 10_000 };
  const begin = (): Admitted => {
    const answer = circuit.admit(() => time.nowMs);
    assert.ok("failed" in answer, "the call was refused");
    return answer;
  };
  const refusedFor = (): number => {
    const answer = circuit.admit(() => time.nowMs);
    assert.ok("retryAfterMs" in answer, "the call was let through");
    return answer.retryAfterMs;
  };
  const fail = (times: number) => {
    for (let at = 0; at < times; at++) begin().failed();
  };
  const succeed = (times: number) => {
    for (let at = 0; at < times; at++) begin().succeeded();
  };
  return { circuit, states, time, begin, refusedFor, fail, succeed };
}

describe("circuit", () => {
  it("stays closed below the minimum number of calls, and opens at it", () => {
    const { fail, begin, refusedFor } = createTried();
    fail(3);
    begin().failed();
    assert.equal(refusedFor(), 5000);
  });

  it("opens at the failure rate, not below it", () => {
    const { fail, succeed, begin, refusedFor } = createTried();
    succeed(5);
    fail(4);
    const tenth = begin();
    tenth.failed();
    assert.equal(refusedFor(), 5000);
  });

  it("opens at the number of failures, however many calls succeed", () => {
    const { fail, succeed, refusedFor } = createTried({ failureThreshold: 3 });
    succeed(100);
    fail(2);
    succeed(1);
    fail(1);
    assert.equal(refusedFor(), 5000);
  });

  it("forgets failures after the window, with a resolution of a tenth", () => {
    const { fail, circuit, time, begin } = createTried();
    fail(3);
    time.nowMs += 899;
    assert.equal(circuit.totals(time.nowMs).failures, 3);
    time.nowMs += 101;
    assert.equal(circuit.totals(time.nowMs).failures, 0);
    begin().failed();
    assert.equal(circuit.state(time.nowMs), "closed");
  });

  it("is half open after openMs, not before, and reports the remaining time", () => {
    const { fail, circuit, time, begin, refusedFor } = createTried();
    fail(4);
    time.nowMs += 4999;
    assert.equal(refusedFor(), 1);
    assert.equal(circuit.state(time.nowMs), "open");
    time.nowMs += 1;
    assert.equal(circuit.state(time.nowMs), "half-open");
    begin();
  });

  it("admits as many trials as allowed, and closes when all have succeeded", () => {
    const { fail, time, states, begin, refusedFor, circuit } = createTried();
    fail(4);
    time.nowMs += 5000;
    const first = begin();
    const second = begin();
    assert.equal(refusedFor(), 0);
    first.succeeded();
    assert.equal(refusedFor(), 0, "a trial that succeeded does not make room for a third");
    second.succeeded();
    begin();
    assert.deepEqual(states, ["closed open", "open half-open", "half-open closed"]);
    assert.deepEqual(circuit.totals(time.nowMs), { calls: 0, failures: 0 });
  });

  it("opens again for the whole time when a trial fails", () => {
    const { fail, time, begin, refusedFor } = createTried();
    fail(4);
    time.nowMs += 5000;
    const first = begin();
    const second = begin();
    time.nowMs += 10;
    first.failed();
    assert.equal(refusedFor(), 5000);
    second.succeeded();
    assert.equal(refusedFor(), 5000, "a trial of before says nothing any more");
  });

  it("admits another trial after a withdrawn one", () => {
    const { fail, time, begin, refusedFor } = createTried();
    fail(4);
    time.nowMs += 5000;
    const first = begin();
    begin();
    assert.equal(refusedFor(), 0);
    first.withdrawn();
    first.withdrawn();
    begin();
    assert.equal(refusedFor(), 0);
  });

  it("ignores the end of a call that started in an earlier state", () => {
    const { fail, time, begin, circuit } = createTried();
    const slow = begin();
    fail(4);
    time.nowMs += 5000;
    const trial = begin();
    slow.failed();
    assert.equal(circuit.state(time.nowMs), "half-open");
    trial.succeeded();
  });

  it("counts each call once", () => {
    const { begin, circuit, time } = createTried();
    const call = begin();
    call.failed();
    call.failed();
    call.succeeded();
    assert.deepEqual(circuit.totals(time.nowMs), { calls: 1, failures: 1 });
  });
});
