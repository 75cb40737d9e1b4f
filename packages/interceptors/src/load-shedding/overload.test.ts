import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Admission } from "./admission.ts";
import { MethodLoad } from "./method-load.ts";

const settings = {
  initialLimit: 200,
  minLimit: 5,
  maxLimit: 1000,
  windowMs: 500,
  maxWaitMs: 1000,
  overloadedWaitMs: 250,
};

/** A simulated time with a list of events, so that half a minute of overload takes a moment and is deterministic. */
class Simulation {
  nowMs = 0;
  #order = 0;
  readonly #events: { atMs: number; order: number; run: () => void; isCancelled: boolean }[] = [];
  readonly admission = new Admission({
    maxQueued: 1000,
    nowMs: () => this.nowMs,
    after: (delayMs, run) => this.after(delayMs, run),
    nextTurn: (run) => this.after(0, run),
  });

  after(delayMs: number, run: () => void): () => void {
    const event = { atMs: this.nowMs + delayMs, order: this.#order++, run, isCancelled: false };
    this.#events.push(event);
    for (let at = this.#events.length - 1; at > 0; ) {
      const parent = (at - 1) >> 1;
      if (!this.#isBefore(at, parent)) break;
      this.#swap(at, parent);
      at = parent;
    }
    return () => {
      event.isCancelled = true;
    };
  }

  run(): void {
    for (let event = this.#take(); event !== undefined; event = this.#take()) {
      if (event.isCancelled) continue;
      // An event that was due while a handler ran is late.
      this.nowMs = Math.max(this.nowMs, event.atMs);
      event.run();
    }
  }

  #take() {
    const events = this.#events;
    const first = events[0];
    const last = events.pop();
    if (last === undefined || events.length === 0) return first;
    events[0] = last;
    for (let at = 0; ; ) {
      const left = 2 * at + 1;
      const right = left + 1;
      let least = at;
      if (left < events.length && this.#isBefore(left, least)) least = left;
      if (right < events.length && this.#isBefore(right, least)) least = right;
      if (least === at) return first;
      this.#swap(at, least);
      at = least;
    }
  }

  #isBefore(at: number, other: number): boolean {
    const [a, b] = [this.#events[at], this.#events[other]];
    if (a === undefined || b === undefined) return false;
    return a.atMs < b.atMs || (a.atMs === b.atMs && a.order < b.order);
  }

  #swap(at: number, other: number): void {
    const [a, b] = [this.#events[at], this.#events[other]];
    if (a !== undefined && b !== undefined) [this.#events[at], this.#events[other]] = [b, a];
  }
}

/** Does the work of calls, and reports when a call is done. */
type Resource = (done: () => void) => void;

/** One core, shared equally by all running calls. */
function createCore(simulation: Simulation, workMs: number): Resource {
  const ends: { readonly atShareMs: number; readonly done: () => void }[] = [];
  let shareMs = 0;
  let sinceMs = 0;
  let cancel = (): void => {};
  const advance = (): void => {
    if (ends.length > 0) shareMs += (simulation.nowMs - sinceMs) / ends.length;
    sinceMs = simulation.nowMs;
  };
  const arm = (): void => {
    cancel();
    const [next] = ends;
    if (next === undefined) return;
    cancel = simulation.after(Math.max(0, (next.atShareMs - shareMs) * ends.length), () => {
      advance();
      ends.shift();
      next.done();
      arm();
    });
  };
  return (done) => {
    advance();
    ends.push({ atShareMs: shareMs + workMs, done });
    arm();
  };
}

/** A backend such as a database, with a fixed latency and concurrency. */
function createBackend(simulation: Simulation, workMs: number, places: number): Resource {
  const waiting: (() => void)[] = [];
  let busy = 0;
  const begin = (done: () => void): void => {
    busy++;
    simulation.after(workMs, () => {
      busy--;
      const next = waiting.shift();
      if (next !== undefined) begin(next);
      done();
    });
  };
  return (done) => {
    if (busy < places) begin(done);
    else waiting.push(done);
  };
}

/** Synchronous handlers: while one works, everything else is delayed, as the event loop delay shows. */
function createThread(simulation: Simulation, workMs: number, untilMs: number): Resource {
  const delaysMs: number[] = [];
  let reportedMs = 0;
  const look = (dueMs: number): void => {
    simulation.after(dueMs - simulation.nowMs, () => {
      delaysMs.push(simulation.nowMs - dueMs);
      if (simulation.nowMs - reportedMs >= settings.windowMs) {
        reportedMs = simulation.nowMs;
        const meanMs = delaysMs.reduce((sum, one) => sum + one, 0) / delaysMs.splice(0).length;
        simulation.admission.reportLoop(meanMs > 100);
      }
      if (simulation.nowMs < untilMs) look(Math.floor(simulation.nowMs / 20) * 20 + 20);
    });
  };
  look(20);
  return (done) => {
    simulation.nowMs += workMs;
    done();
  };
}

class Traffic {
  readonly load: MethodLoad;
  readonly #served: { readonly arrivedMs: number; readonly tookMs: number }[] = [];
  refused = 0;
  readonly #simulation: Simulation;
  readonly #resource: Resource;

  constructor(simulation: Simulation, method: string, resource: Resource) {
    this.#simulation = simulation;
    this.#resource = resource;
    this.load = new MethodLoad(method, "normal", settings, 0);
  }

  call(): void {
    const { admission } = this.#simulation;
    const arrivedMs = this.#simulation.nowMs;
    if (admission.enter(this.load, false)) this.#run(arrivedMs);
    else {
      admission.wait(this.load, false, {
        run: () => this.#run(arrivedMs),
        refuse: () => {
          this.refused++;
        },
      });
    }
  }

  /** Sends calls at a fixed rate, whether they complete or not, as many clients do together. */
  arrive(perSecond: number, fromMs: number, untilMs: number): void {
    // Between 0.5 and 1.5 times the mean, deterministically.
    let seed = 1;
    const next = (atMs: number): void => {
      if (atMs >= untilMs) return;
      this.#simulation.after(atMs - this.#simulation.nowMs, () => {
        this.call();
        seed = (seed * 16_807) % 2_147_483_647;
        next(atMs + (1000 / perSecond) * (0.5 + seed / 2_147_483_647));
      });
    };
    next(fromMs);
  }

  get served(): number {
    return this.#served.length;
  }

  /** The latencies of calls that arrived after a time, including their wait. */
  p99Ms(afterMs = 0): number {
    const later = this.#served.filter(({ arrivedMs }) => arrivedMs >= afterMs);
    const sorted = later.map(({ tookMs }) => tookMs).sort((a, b) => a - b);
    return sorted[Math.floor(sorted.length * 0.99)] ?? 0;
  }

  #run(arrivedMs: number): void {
    const begunMs = this.#simulation.nowMs;
    this.#resource(() => {
      const { nowMs, admission } = this.#simulation;
      this.#served.push({ arrivedMs, tookMs: nowMs - arrivedMs });
      this.load.answered(nowMs - begunMs);
      admission.leave(this.load);
    });
  }
}

describe("a server without load", () => {
  for (const count of [100, 500, 1000]) {
    it(`rejects none of ${count} concurrent calls, before and after a busy time`, () => {
      const simulation = new Simulation();
      const traffic = new Traffic(simulation, "a", createCore(simulation, 0.5));
      const burst = (): void => {
        for (let at = 0; at < count; at++) traffic.call();
      };
      burst();
      // 90 % of its capacity.
      traffic.arrive(1800, 5_000, 15_000);
      simulation.after(20_000, burst);
      simulation.run();
      assert.equal(traffic.refused, 0);
      assert.equal(simulation.admission.running + simulation.admission.queued, 0);
    });
  }
});

describe("a server with five times the load of its capacity, for half a minute", () => {
  const durationMs = 30_000;
  const cases: [string, number, (simulation: Simulation) => Resource, number][] = [
    ["of its core", 500, (simulation) => createCore(simulation, 2), 260],
    ["of a database with 40 connections", 800, (simulation) => createBackend(simulation, 50, 40), 300],
    ["of 4 threads with long work", 20, (simulation) => createBackend(simulation, 200, 4), 3_000],
  ];
  for (const [name, capacity, createResource, settledP99Ms] of cases) {
    it(`${name}: serves at least 80 % of its capacity, each call in bounded time, and recovers after the load`, () => {
      const simulation = new Simulation();
      const traffic = new Traffic(simulation, "a", createResource(simulation));
      traffic.arrive(5 * capacity, 0, durationMs);
      simulation.run();
      const share = traffic.served / ((capacity * durationMs) / 1000);
      assert.ok(share >= 0.8, `${share}`);
      // The calls admitted at first, and their longest wait.
      const firstMs = settings.maxWaitMs + (settings.initialLimit / capacity) * 1000;
      assert.ok(traffic.p99Ms() <= firstMs, `${traffic.p99Ms()}`);
      assert.ok(traffic.p99Ms(20_000) <= settledP99Ms, `${traffic.p99Ms(20_000)}`);
      assert.ok(simulation.nowMs < durationMs + 2_000, `${simulation.nowMs}`);
      assert.equal(simulation.admission.running + simulation.admission.queued, 0);
    });
  }

  it("with synchronous handlers serves at least 80 % of its capacity quickly, and keeps the event loop responsive", () => {
    const simulation = new Simulation();
    const traffic = new Traffic(simulation, "a", createThread(simulation, 2, durationMs));
    traffic.arrive(2500, 0, durationMs);
    let mostLateMs = 0;
    for (let atMs = 5_000; atMs < durationMs; atMs += 100) {
      simulation.after(atMs, () => {
        mostLateMs = Math.max(mostLateMs, simulation.nowMs - atMs);
      });
    }
    simulation.run();
    const share = traffic.served / (500 * (durationMs / 1000));
    assert.ok(share >= 0.8, `${share}`);
    assert.ok(traffic.p99Ms(5_000) <= 300, `${traffic.p99Ms(5_000)}`);
    assert.ok(mostLateMs <= 50, `${mostLateMs}`);
    assert.ok(simulation.nowMs < durationMs + 2_000, `${simulation.nowMs}`);
  });

  it("does not affect the calls of another method", () => {
    const simulation = new Simulation();
    const slow = new Traffic(simulation, "slow", createBackend(simulation, 500, 4));
    const quick = new Traffic(simulation, "quick", createCore(simulation, 1));
    slow.arrive(40, 0, durationMs);
    quick.arrive(500, 0, durationMs);
    simulation.run();
    assert.ok(slow.refused > 0);
    assert.deepEqual([quick.refused, quick.load.limit], [0, 200]);
    assert.ok(quick.p99Ms() < 20, `${quick.p99Ms()}`);
  });
});
