import type { Clock } from "./clock.ts";

/** Time limits of connections are checked this often: they are coarse, and a timer each would cost more than it is worth. */
const tickMs = 1000;

export interface Ticking {
  tick(nowMs: number): void;
}

/** Calls every member once a second, with one timer for all of them. The timer runs only while it has members. */
export class Ticker {
  private readonly clock: Clock;
  private readonly members = new Set<Ticking>();
  private cancel: (() => void) | undefined;

  constructor(clock: Clock) {
    this.clock = clock;
  }

  add(member: Ticking): void {
    this.members.add(member);
    this.cancel ??= this.clock.after(tickMs, this.run);
  }

  delete(member: Ticking): void {
    this.members.delete(member);
    if (this.members.size > 0) return;
    this.cancel?.();
    this.cancel = undefined;
  }

  private readonly run = (): void => {
    this.cancel = undefined;
    const now = this.clock.nowMs();
    for (const member of this.members) member.tick(now);
    if (this.members.size > 0) this.cancel ??= this.clock.after(tickMs, this.run);
  };
}
