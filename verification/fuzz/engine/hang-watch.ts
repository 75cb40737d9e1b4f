/** What a thread has done so far. */
export interface ThreadTimes {
  /** Time of a processor that it used. */
  readonly cpuMs: number;
  /** Time for which its event loop had nothing to do. */
  readonly idleMs: number;
}

/**
 * Distinguishes an input that hangs from one whose thread does not get the processor: on a busy machine the clock runs for both. What
 * counts is how long the thread has computed since the input began, or has waited with nothing to do.
 */
export class HangWatch {
  private readonly limitMs: number;
  private serial = -1;
  private since: ThreadTimes = { cpuMs: 0, idleMs: 0 };

  constructor(limitMs: number) {
    this.limitMs = limitMs;
  }

  /** What is wrong with the input that has this serial number; undefined while nothing is. */
  look(serial: number, now: ThreadTimes): string | undefined {
    if (serial !== this.serial) {
      this.serial = serial;
      this.since = now;
      return undefined;
    }
    const seconds = this.limitMs / 1000;
    if (now.cpuMs - this.since.cpuMs >= this.limitMs) return `one input has computed for ${seconds} s`;
    if (now.idleMs - this.since.idleMs >= this.limitMs) return `one input has waited for ${seconds} s`;
    return undefined;
  }
}
