import assert from "node:assert/strict";
import { test } from "node:test";
import { FakeClock } from "../../testing/fake-clock.ts";
import { Ticker, type Ticking } from "./ticker.ts";

function member(during?: () => void): Ticking & { at: number[] } {
  const at: number[] = [];
  return {
    at,
    tick(nowMs) {
      at.push(nowMs);
      during?.();
    },
  };
}

test("calls every member once a second, with one timer for all and none for no one", () => {
  const clock = new FakeClock();
  const ticker = new Ticker(clock);
  assert.equal(clock.pendingTimers, 0);
  const [one, two] = [member(), member()];
  ticker.add(one);
  clock.advance(500);
  ticker.add(two);
  assert.equal(clock.pendingTimers, 1);
  clock.advance(1500);
  assert.deepEqual(one.at, [1000, 2000]);
  assert.deepEqual(two.at, [1000, 2000]);
  ticker.delete(one);
  clock.advance(1000);
  assert.deepEqual([one.at.length, two.at.length], [2, 3]);
  ticker.delete(two);
  assert.equal(clock.pendingTimers, 0);
});

test("bears a member that leaves, and one that joins, during its own tick", () => {
  const clock = new FakeClock();
  const ticker = new Ticker(clock);
  const late = member();
  const leaving: Ticking & { at: number[] } = member(() => {
    ticker.delete(leaving);
    ticker.add(late);
  });
  ticker.add(leaving);
  clock.advance(1000);
  assert.equal(clock.pendingTimers, 1);
  clock.advance(1000);
  assert.equal(leaving.at.length, 1);
  assert.equal(late.at.at(-1), 2000);
  ticker.delete(late);
  assert.equal(clock.pendingTimers, 0);
});

test("stops when the last member leaves during its tick, and starts again for the next", () => {
  const clock = new FakeClock();
  const ticker = new Ticker(clock);
  const only: Ticking = member(() => ticker.delete(only));
  ticker.add(only);
  clock.advance(1000);
  assert.equal(clock.pendingTimers, 0);
  const next = member();
  ticker.add(next);
  clock.advance(1000);
  assert.deepEqual(next.at, [2000]);
});
