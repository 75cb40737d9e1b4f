import { type CallQueue, WaitingCall } from "./call-queue.ts";
import type { MethodLoad, Rank } from "./method-load.ts";

/** How much of the room calls of a rank may fill, so that there is room for those above. */
const roomShares: Readonly<Record<Rank, number>> = { critical: 1, normal: 0.9, low: 0.6 };
const ranks: readonly Rank[] = ["critical", "normal", "low"];
/** What a turn of the event loop may take while calls are paced: others' frames and timers come in between. */
const turnMs = 10;
/** Where each call takes long, or other programs have the core, a turn takes its time anyway. */
const minCallsPerTurn = 4;
const maxCallsPerTurn = 64;

export interface AdmissionSettings {
  /** Calls of all methods that may wait. */
  readonly maxQueued: number;
  readonly nowMs: () => number;
  /** As a clock's `after`. */
  readonly after: (delayMs: number, run: () => void) => () => void;
  /** Runs something once the event loop has looked at its sockets again. */
  readonly nextTurn: (run: () => void) => void;
}

/** Why a call was refused. */
export type RefusalReason = "queue full" | "waited too long";

/** A waiting call. One of the methods is called, once. */
export interface Waiter {
  run(): void;
  refuse(reason: RefusalReason, waitedMs: number): void;
}

/**
 * Lets calls in, has them wait, or refuses them. Each method has its own limit and queue, so a slow one does not hold up the others; the room
 * for those who wait is shared.
 *
 * While the event loop is late, calls other than critical ones are paced: they wait for a turn, a few of each method in each turn of the loop,
 * critical methods before normal ones and these before low ones.
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
  /** The last turn has left calls waiting that their method's limit would let in. */
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

  /** What a look at the event loop has shown. Pacing lasts until a turn is enough for all who wait for one. */
  reportLoop(isLate: boolean): void {
    if (isLate) this.#isPaced = true;
    else if (!this.#isBehind) this.#isPaced = false;
  }

  /** Whether a call may run at once; then `leave` must follow. A stream is let in without being counted: it may stay for days. */
  enter(load: MethodLoad, isStream: boolean): boolean {
    if (load.running >= load.limit || load.queue.length > 0 || (this.#isPaced && load.rank !== "critical"))
      return false;
    if (!isStream) this.#count(load);
    return true;
  }

  /** For a call that `enter` did not let in. Returns how to give up; undefined when it is refused at once. */
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

  /** A call that was counted has ended. */
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

  /** As many as fit: the limit may have grown, and streams take no place. */
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

  /** A queue that serves the newest first gives up its oldest, which would not have been served any more. */
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
    // What was let in by the last turn has run since, as far as it does not wait for something else.
    const tookMs = this.#settings.nowMs() - this.#turnBeganMs;
    const fitting = tookMs > turnMs ? this.#callsPerTurn >> 1 : this.#callsPerTurn << 1;
    this.#callsPerTurn = Math.max(minCallsPerTurn, Math.min(maxCallsPerTurn, fitting));
    let left = this.#callsPerTurn;
    for (const rank of ranks) left = this.#runSome(this.#waitingLoads[rank], left);
    this.#isBehind = left === 0 && this.#queued > 0;
    // With nothing let in there is nothing to wait for but the end of a call, which asks again.
    if (this.#queued > 0 && left < this.#callsPerTurn) this.#askTurn();
  }

  /** One of each method in turn. Returns how many more may be let in. */
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

  /** One timer for all, for the queue whose calls expire first. */
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

  /** Ends the timer. What waits is let in. */
  close(): void {
    this.#cancelExpiry?.();
    this.#cancelExpiry = undefined;
    this.#isPaced = false;
    for (const rank of ranks) for (const load of this.#waitingLoads[rank]) while (this.#runOne(load));
  }
}
