import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Clock } from "./clock.ts";
import { type DeadlineEntry, DeadlineWheel } from "./deadline-wheel.ts";
import { createFakeClock } from "./fake-clock.ts";

class Entry implements DeadlineEntry {
  deadlineAtMs: number;
  nextDeadline: DeadlineEntry | undefined = undefined;
  previousDeadline: DeadlineEntry | undefined = undefined;
  deadlineSlot = -1;
  firedAtMs: number[] = [];
  private readonly clock: Clock;
  private readonly whenCalled: () => void;

  constructor(clock: Clock, inMs: number, whenCalled: () => void = () => {}) {
    this.clock = clock;
    this.deadlineAtMs = clock.nowMs() + inMs;
    this.whenCalled = whenCalled;
  }

  onDeadline(): void {
    this.firedAtMs.push(this.clock.nowMs());
    this.whenCalled();
  }
}

function setUp(holdsProcess = false) {
  const clock = createFakeClock();
  const wheel = new DeadlineWheel(clock, holdsProcess);
  const add = (inMs: number, whenCalled?: () => void): Entry => {
    const entry = new Entry(clock, inMs, whenCalled);
    wheel.add(entry);
    return entry;
  };
  return { clock, wheel, add };
}

/** Milliseconds between the deadline and its call. */
function lateness(entry: Entry): number {
  assert.equal(entry.firedAtMs.length, 1, `fired ${entry.firedAtMs.length} times`);
  return (entry.firedAtMs[0] as number) - entry.deadlineAtMs;
}

describe("the deadline wheel", () => {
  it("calls each deadline once, never early and at most 10 ms late, from microseconds to several turns", async () => {
    const { clock, wheel, add } = setUp();
    await clock.advance(3.7);
    const delays = [0.001, 0.5, 1, 9.99, 10, 10.01, 99, 5109, 5110, 5119.5, 5120, 5121, 5130, 10_240, 12_345.6, 60_000];
    const entries = delays.map((delay) => add(delay));
    for (let at = 0; at < 200; at++) await clock.advance(307.3);
    for (const [at, entry] of entries.entries()) {
      const late = lateness(entry);
      assert.ok(late >= 0 && late <= 10, `${delays[at]} ms: ${late} ms late`);
    }
    assert.equal(wheel.size, 0);
  });

  it("keeps to that when what it calls takes longer than a slot", async () => {
    const fake = createFakeClock();
    let passedMs = 0;
    const clock: Clock = { nowMs: () => fake.nowMs() + passedMs, after: fake.after };
    const wheel = new DeadlineWheel(clock, false);
    const slow = new Entry(clock, 100, () => {
      passedMs += 30;
    });
    const later = new Entry(clock, 140);
    wheel.add(slow);
    wheel.add(later);
    await fake.advance(1000);
    assert.ok(lateness(later) <= 10, `${lateness(later)} ms late`);
  });

  it("keeps to that for a thousand deadlines that come and go in any order", async () => {
    const { clock, wheel, add } = setUp();
    // A linear congruential generator: the same numbers every time.
    let state = 12345;
    const random = (below: number): number => {
      state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
      return (state / 2_147_483_648) * below;
    };
    const kept: Entry[] = [];
    const removed: Entry[] = [];
    for (let at = 0; at < 1000; at++) {
      const entry = add(random(20_000));
      if (random(1) < 0.5) kept.push(entry);
      else removed.push(entry);
      if (at % 10 === 0) await clock.advance(random(50));
      if (at % 3 === 0) {
        const gone = removed.pop();
        if (gone !== undefined && gone.firedAtMs.length === 0) wheel.remove(gone);
        if (gone !== undefined) kept.push(...(gone.firedAtMs.length === 0 ? [] : [gone]));
      }
    }
    await clock.advance(30_000);
    for (const entry of [...kept, ...removed]) {
      const late = lateness(entry);
      assert.ok(late >= 0 && late <= 10, `${late} ms late`);
    }
    assert.equal(wheel.size, 0);
  });

  it("sees a deadline that is over already at the next slot", async () => {
    const { clock, add } = setUp();
    const past = add(-1000);
    assert.deepEqual(past.firedAtMs, []);
    await clock.advance(10);
    assert.equal(past.firedAtMs.length, 1);
  });

  it("does not call what was removed, not even in the moment it falls due", async () => {
    const { clock, wheel, add } = setUp();
    const first = add(50, () => wheel.remove(second));
    const second: Entry = add(50, () => wheel.remove(first));
    const third = add(50);
    wheel.remove(third);
    wheel.remove(third);
    await clock.advance(100);
    // One of the two took the other away; which one is the wheel's business.
    assert.equal(first.firedAtMs.length + second.firedAtMs.length, 1);
    assert.deepEqual(third.firedAtMs, []);
    assert.equal(wheel.size, 0);
  });

  it("goes on with the others when a deadline takes half of its slot away", async () => {
    const { clock, wheel } = setUp();
    const entries: Entry[] = [];
    for (let at = 0; at < 10; at++) {
      entries.push(
        new Entry(clock, 100, () => {
          for (let other = 1; other < 10; other += 2) wheel.remove(entries[other] as Entry);
        }),
      );
    }
    // Added from the last to the first, so that the even ones meet an odd neighbour on either side.
    for (const entry of entries.toReversed()) wheel.add(entry);
    await clock.advance(200);
    assert.deepEqual(
      entries.map((entry) => entry.firedAtMs.length),
      [1, 0, 1, 0, 1, 0, 1, 0, 1, 0],
    );
    assert.equal(wheel.size, 0);
  });

  it("keeps other deadlines in time when one adds a later one", async () => {
    const { clock, add } = setUp();
    let late: Entry | undefined;
    add(20, () => {
      late = add(5000);
    });
    const soon = add(100);
    await clock.advance(200);
    assert.equal(soon.firedAtMs.length, 1, "the deadline in between was forgotten");
    assert.ok(lateness(soon) <= 10);
    await clock.advance(5000);
    assert.ok(lateness(late as Entry) <= 10);
  });

  it("lets a deadline add itself again, for the same slot a turn later or for the past", async () => {
    const { clock, wheel } = setUp();
    const entry: Entry = new Entry(clock, 40, () => {
      if (entry.firedAtMs.length > 3) return;
      entry.deadlineAtMs = entry.firedAtMs.length === 2 ? clock.nowMs() - 5 : clock.nowMs() + 5120;
      wheel.add(entry);
    });
    wheel.add(entry);
    await clock.advance(20_000);
    assert.equal(entry.firedAtMs.length, 4);
    const [first, second, third, fourth] = entry.firedAtMs.map((atMs) => atMs - (entry.firedAtMs[0] as number));
    assert.deepEqual([first, second], [0, 5120]);
    assert.ok((third as number) <= 5130 && (fourth as number) <= 5120 + 5140);
  });

  it("calls everything that fell due while the clock jumped further than a turn", async () => {
    const clock = { ms: 1000, due: [] as { atMs: number; run: () => void }[] };
    const wheel = new DeadlineWheel(
      {
        nowMs: () => clock.ms,
        after(delayMs, run) {
          const timer = { atMs: clock.ms + delayMs, run };
          clock.due.push(timer);
          return () => clock.due.splice(clock.due.indexOf(timer), 1);
        },
      },
      false,
    );
    const entries = [10, 500, 5000, 9000, 14_000, 25_000].map(
      (inMs) => new Entry({ nowMs: () => clock.ms, after: () => () => {} }, inMs),
    );
    for (const entry of entries) wheel.add(entry);
    // The process was suspended: the one timer fires 20 s late.
    clock.ms += 20_000;
    clock.due.shift()?.run();
    assert.deepEqual(
      entries.map((entry) => entry.firedAtMs.length),
      [1, 1, 1, 1, 1, 0],
    );
    assert.equal(clock.due.length, 1);
    assert.ok((clock.due[0]?.atMs ?? 0) <= 26_010);
  });

  it("has one timer for any number of deadlines, and none when it holds the process and nothing is left", () => {
    const holding = setUp(true);
    const entries = [5000, 10, 700].map((inMs) => holding.add(inMs));
    assert.equal(holding.clock.pendingTimers, 1);
    for (const entry of entries) holding.wheel.remove(entry);
    assert.equal(holding.clock.pendingTimers, 0);
    assert.equal(holding.wheel.size, 0);

    const free = setUp(false);
    free.wheel.remove(free.add(10));
    assert.equal(free.clock.pendingTimers, 1);
    free.wheel.stop();
    assert.equal(free.clock.pendingTimers, 0);
  });

  it("tells its clock whether a pending deadline keeps the process alive", () => {
    for (const holdsProcess of [true, false]) {
      let told: boolean | undefined;
      const clock: Clock = {
        nowMs: () => 1000,
        after(_delayMs, _run, holds) {
          told = holds;
          return () => {};
        },
      };
      new DeadlineWheel(clock, holdsProcess).add(new Entry(clock, 100));
      assert.equal(told, holdsProcess);
    }
  });

  it("calls nothing after stop, until a deadline is added", async () => {
    const { clock, wheel, add } = setUp();
    const before = add(100);
    wheel.stop();
    await clock.advance(1000);
    assert.deepEqual(before.firedAtMs, []);
    const after = add(100);
    await clock.advance(200);
    assert.equal(after.firedAtMs.length, 1);
    assert.equal(before.firedAtMs.length, 1);
  });
});

describe("a deadline wheel in a busy process", () => {
  it("knows how late its timer was", () => {
    let nowMs = 1000;
    let fire = (): void => {};
    const clock: Clock = {
      nowMs: () => nowMs,
      after(_delayMs, run) {
        fire = run;
        return () => {};
      },
    };
    const wheel = new DeadlineWheel(clock, false);
    const entry = new Entry(clock, 50);
    wheel.add(entry);
    nowMs = 1300;
    fire();
    assert.deepEqual([entry.firedAtMs, wheel.latenessMs], [[1300], 250]);
    wheel.add(new Entry(clock, 20));
    nowMs = 1320;
    fire();
    assert.equal(wheel.latenessMs, 0);
  });
});
