/** The times of a thread so far. */
export interface ThreadTimes {
  /** Its CPU time. */
  readonly cpuMs: number;
  /** The time for which its event loop was idle. */
  readonly idleMs: number;
}

/**
 * Distinguishes a hanging input from one whose thread does not get a core, which takes long on a busy machine too. It
 * checks the CPU time and the idle time of the thread since the input started.
 */
export class HangWatch {
  private readonly limitMs: number;
  private serial = -1;
  private since: ThreadTimes = { cpuMs: 0, idleMs: 0 };

  constructor(limitMs: number) {
    this.limitMs = limitMs;
  }

  /** Returns the problem of the input with this serial number; undefined if it has none. */
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
