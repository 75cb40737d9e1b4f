import { type CallQueue, WaitingCall } from "./call-queue.ts";
import type { MethodLoad, Rank } from "./method-load.ts";

/** The share of the queue that calls of a rank may fill, so that there is room for higher ranks. */
const roomShares: Readonly<Record<Rank, number>> = { critical: 1, normal: 0.9, low: 0.6 };
const ranks: readonly Rank[] = ["critical", "normal", "low"];
/** The target duration of a turn of the event loop while calls are paced, so that frames and timers are handled in between. */
const turnMs = 10;
/** The minimum number of calls per turn. If each call is slow, or other programs use the core, turns are long anyway. */
const minCallsPerTurn = 4;
const maxCallsPerTurn = 64;

export interface AdmissionSettings {
  /** The maximum number of waiting calls of all methods. */
  readonly maxQueued: number;
  readonly nowMs: () => number;
  /** As `Clock.after`. */
  readonly after: (delayMs: number, run: () => void) => () => void;
  /** Runs a function after the event loop has polled its sockets again. */
  readonly nextTurn: (run: () => void) => void;
}

/** Why a call was rejected. */
export type RefusalReason = "queue full" | "waited too long";

/** A waiting call. Exactly one of the methods is called, once. */
export interface Waiter {
  run(): void;
  refuse(reason: RefusalReason, waitedMs: number): void;
}

/**
 * Admits calls, queues them, or rejects them. Each method has its own limit and queue, so that a slow method does not delay others; the
 * maximum number of waiting calls is shared.
 *
 * While the event loop is late, calls that are not critical are paced: they wait for a turn. Each turn of the event loop admits a few calls of
 * each method, first critical methods, then normal ones, then low ones.
 */
export class Admission {
  readonly #settings: AdmissionSettings;
  readonly #waitingLoads: Readonly<Record<Rank, Set<MethodLoad>>> = {
    critical: new Set(),
    normal: new Set(),
    low: new Set(),
  };
  #running = 0;
  #queued = 0;
  #refused = 0;
  #isPaced = false;
  /** Whether the last turn left calls waiting although it had used up its number of calls. */
  #isBehind = false;
  #callsPerTurn = minCallsPerTurn;
  #isTurnAsked = false;
  #turnBeganMs = 0;
  #cancelExpiry: (() => void) | undefined;
  #expiryMs = Number.POSITIVE_INFINITY;

  constructor(settings: AdmissionSettings) {
    this.#settings = settings;
  }

  get running(): number {
    return this.#running;
  }

  get queued(): number {
    return this.#queued;
  }

  get refused(): number {
    return this.#refused;
  }

  get isPaced(): boolean {
    return this.#isPaced;
  }

  /** Reports whether the event loop is late. Pacing lasts until one turn is enough for all waiting calls. */
  reportLoop(isLate: boolean): void {
    if (isLate) this.#isPaced = true;
    else if (!this.#isBehind) this.#isPaced = false;
  }

  /** Whether a call may run at once; `leave` must follow then. Streams are admitted without being counted, because they may run for days. */
  enter(load: MethodLoad, isStream: boolean): boolean {
    if (load.running >= load.limit || load.queue.length > 0 || (this.#isPaced && load.rank !== "critical"))
      return false;
    if (!isStream) this.#count(load);
    return true;
  }

  /** Queues a call that `enter` did not admit. Returns a function that leaves the queue; undefined if the call was rejected at once. */
  wait(load: MethodLoad, isStream: boolean, waiter: Waiter): (() => void) | undefined {
    const nowMs = this.#settings.nowMs();
    if (load.running >= load.limit) load.waited(nowMs);
    if (this.#queued >= Math.floor(this.#settings.maxQueued * roomShares[load.rank]) && !this.#makeRoom(load, nowMs)) {
      this.#refused++;
      waiter.refuse("queue full", 0);
      return undefined;
    }
    const call = new WaitingCall(
      nowMs,
      () => {
        if (!isStream) this.#count(load);
        waiter.run();
      },
      (waitedMs) => {
        this.#refused++;
        waiter.refuse("waited too long", waitedMs);
      },
    );
    load.queue.push(call);
    this.#changed(load, 1);
    if (this.#isPaced) this.#askTurn();
    this.#watchExpiry(load.queue);
    return () => {
      if (!call.isWaiting) return;
      load.queue.remove(call);
      this.#changed(load, -1);
    };
  }

  /** Must be called when a counted call has ended. */
  leave(load: MethodLoad): void {
    load.running--;
    this.#running--;
    load.endWindow(this.#settings.nowMs());
    if (this.#isPaced && load.rank !== "critical") {
      if (this.#queued > 0) this.#askTurn();
      return;
    }
    this.#runNext(load);
  }

  /** Runs as many waiting calls as the limit allows: it may have grown, and streams are not counted. */
  #runNext(load: MethodLoad): void {
    while (load.running < load.limit && this.#runOne(load));
  }

  #runOne(load: MethodLoad): boolean {
    const nowMs = this.#settings.nowMs();
    this.#refuseExpired(load, nowMs);
    const call = load.queue.take(nowMs);
    if (call === undefined) return false;
    this.#changed(load, -1);
    call.run();
    return true;
  }

  #count(load: MethodLoad): void {
    load.running++;
    this.#running++;
  }

  /** Rejects the oldest call of an overloaded queue, which serves the newest first and would not have served it in time. */
  #makeRoom(load: MethodLoad, nowMs: number): boolean {
    const outdated = load.queue.takeOutdated(nowMs);
    if (outdated === undefined) return false;
    this.#changed(load, -1);
    outdated.refuse(nowMs - outdated.sinceMs);
    return true;
  }

  #changed(load: MethodLoad, by: number): void {
    this.#queued += by;
    if (load.queue.length === 0) this.#waitingLoads[load.rank].delete(load);
    else this.#waitingLoads[load.rank].add(load);
  }

  // ---- pacing

  #askTurn(): void {
    if (this.#isTurnAsked) return;
    this.#isTurnAsked = true;
    this.#turnBeganMs = this.#settings.nowMs();
    this.#settings.nextTurn(() => this.#takeTurn());
  }

  #takeTurn(): void {
    this.#isTurnAsked = false;
    // The calls of the last turn have run since, up to the point where they wait for something else.
    const tookMs = this.#settings.nowMs() - this.#turnBeganMs;
    const fitting = tookMs > turnMs ? this.#callsPerTurn >> 1 : this.#callsPerTurn << 1;
    this.#callsPerTurn = Math.max(minCallsPerTurn, Math.min(maxCallsPerTurn, fitting));
    let left = this.#callsPerTurn;
    for (const rank of ranks) left = this.#runSome(this.#waitingLoads[rank], left);
    this.#isBehind = left === 0 && this.#queued > 0;
    // If this turn admitted nothing, the end of a running call requests the next turn.
    if (this.#queued > 0 && left < this.#callsPerTurn) this.#askTurn();
  }

  /** Runs one call of each method in turn. Returns how many more may run. */
  #runSome(loads: ReadonlySet<MethodLoad>, atMost: number): number {
    let left = atMost;
    for (let before = Number.POSITIVE_INFINITY; left > 0 && left < before; ) {
      before = left;
      for (const load of loads) if (left > 0 && load.running < load.limit && this.#runOne(load)) left--;
    }
    return left;
  }

  // ---- expiry

  #refuseExpired(load: MethodLoad, nowMs: number): void {
    for (const call of load.queue.takeExpired(nowMs)) {
      this.#changed(load, -1);
      call.refuse(nowMs - call.sinceMs);
    }
  }

  /** Sets the timer, which all queues share, to the earliest expiry. */
  #watchExpiry({ nextExpiryMs }: CallQueue): void {
    if (nextExpiryMs >= this.#expiryMs) return;
    this.#cancelExpiry?.();
    this.#expiryMs = nextExpiryMs;
    const delayMs = Math.max(1, Math.ceil(nextExpiryMs - this.#settings.nowMs()));
    this.#cancelExpiry = this.#settings.after(delayMs, () => this.#onExpiry());
  }

  #onExpiry(): void {
    this.#expiryMs = Number.POSITIVE_INFINITY;
    this.#cancelExpiry = undefined;
    const nowMs = this.#settings.nowMs();
    for (const rank of ranks) {
      for (const load of this.#waitingLoads[rank]) {
        this.#refuseExpired(load, nowMs);
        this.#watchExpiry(load.queue);
      }
    }
  }

  /** Stops the timer and runs all waiting calls. */
  close(): void {
    this.#cancelExpiry?.();
    this.#cancelExpiry = undefined;
    this.#isPaced = false;
    for (const rank of ranks) for (const load of this.#waitingLoads[rank]) while (this.#runOne(load));
  }
}
