import type { Clock } from "./clock.ts";

/** How late a deadline may be noticed. Never early: a call must not fail before its time. */
const slotMs = 10;

/** One turn of the wheel is 5.12 s; later deadlines stay in their slot for another turn. */
const slotCount = 512;

/** A call with a deadline. It is its own entry in the wheel's lists, so that adding and removing allocate nothing. */
export interface DeadlineEntry {
  /** By the clock's `nowMs`. */
  deadlineAtMs: number;
  nextDeadline: DeadlineEntry | undefined;
  previousDeadline: DeadlineEntry | undefined;
  /** The slot the entry is in, -1 when it is in none. */
  deadlineSlot: number;
  onDeadline(): void;
}

/**
 * The deadlines of many calls on one timer. Most calls end long before their deadline, so adding and removing are what has
 * to be cheap:
 *
 *   slots  [0] ─ call ─ call      time runs through the slots, 10 ms each;
 *          [1]                    the timer sleeps until the next slot that holds a call
 *          [2] ─ call
 */
export class DeadlineWheel {
  /** How late the timer fired last, because the process was busy: what it has read since may have waited for as long. */
  latenessMs = 0;
  private readonly clock: Clock;
  private readonly holdsProcess: boolean;
  private readonly slots = new Array<DeadlineEntry | undefined>(slotCount).fill(undefined);
  private count = 0;
  /** The last slot number (counted from time zero) whose time is over and done. */
  private doneSlot = 0;
  private cancelTimer: (() => void) | undefined = undefined;
  private timerSlot = 0;

  /** `holdsProcess`: whether a pending deadline keeps the process alive, as it should for a call that is awaited. */
  constructor(clock: Clock, holdsProcess: boolean) {
    this.clock = clock;
    this.holdsProcess = holdsProcess;
  }

  get size(): number {
    return this.count;
  }

  /** `now` is the clock's time, for callers that have just read it. */
  add(entry: DeadlineEntry, now = this.clock.nowMs()): void {
    if (this.count === 0) this.doneSlot = Math.floor(now / slotMs);
    const due = Math.max(Math.ceil(entry.deadlineAtMs / slotMs), this.doneSlot + 1);
    const slot = due % slotCount;
    const first = this.slots[slot];
    entry.deadlineSlot = slot;
    entry.previousDeadline = undefined;
    entry.nextDeadline = first;
    if (first !== undefined) first.previousDeadline = entry;
    this.slots[slot] = entry;
    this.count++;
    if (this.cancelTimer === undefined || due < this.timerSlot) this.sleep(now, due);
  }

  remove(entry: DeadlineEntry): void {
    if (entry.deadlineSlot === -1) return;
    const { nextDeadline, previousDeadline } = entry;
    if (nextDeadline !== undefined) nextDeadline.previousDeadline = previousDeadline;
    if (previousDeadline !== undefined) previousDeadline.nextDeadline = nextDeadline;
    else this.slots[entry.deadlineSlot] = nextDeadline;
    entry.deadlineSlot = -1;
    entry.nextDeadline = undefined;
    entry.previousDeadline = undefined;
    this.count--;
    // An armed timer without entries is harmless unless it keeps the process from ending.
    if (this.count === 0 && this.holdsProcess) this.stop();
  }

  /** Forgets the timer; entries stay where they are and are not called. */
  stop(): void {
    this.cancelTimer?.();
    this.cancelTimer = undefined;
  }

  private sleep(now: number, due: number): void {
    this.cancelTimer?.();
    // No further than one turn: slots beyond repeat.
    const until = Math.min(due, this.doneSlot + slotCount);
    this.timerSlot = until;
    this.cancelTimer = this.clock.after(Math.max(0, until * slotMs - now), this.run, this.holdsProcess);
  }

  private readonly run = (): void => {
    this.cancelTimer = undefined;
    const now = this.clock.nowMs();
    this.latenessMs = now - this.timerSlot * slotMs;
    const current = Math.floor(now / slotMs);
    const first = this.doneSlot + 1;
    const last = Math.min(current, this.doneSlot + slotCount);
    // Before anything is called, so that a call begun by what is called lands in a slot still to come.
    this.doneSlot = current;
    for (let number = first; number <= last; number++) this.expire(number % slotCount, now);
    // Even if a call that began since then has set the timer: it only knew its own deadline. The callbacks took time.
    if (this.count > 0) this.sleep(this.clock.nowMs(), this.nextUsedSlot());
  };

  private expire(slot: number, now: number): void {
    let entry = this.slots[slot];
    while (entry !== undefined) {
      const next: DeadlineEntry | undefined = entry.nextDeadline;
      if (entry.deadlineAtMs <= now) {
        this.remove(entry);
        entry.onDeadline();
      }
      // What was called may have removed `next`; its links are gone then, and the slot is walked again.
      entry = next === undefined || next.deadlineSlot === slot ? next : this.slots[slot];
    }
  }

  private nextUsedSlot(): number {
    for (let number = this.doneSlot + 1; number < this.doneSlot + slotCount; number++) {
      if (this.slots[number % slotCount] !== undefined) return number;
    }
    return this.doneSlot + slotCount;
  }
}
