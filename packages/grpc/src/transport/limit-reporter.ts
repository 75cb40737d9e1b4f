import type { LimitAction, LimitEvent, LimitName } from "@tercel/http2";
import type { Clock } from "../call/clock.ts";
import type { Log } from "../call/log.ts";
import { printable } from "../call/printable.ts";

export type { LimitAction, LimitName };

/** A peer has struck a limit of this process, and what followed. */
export interface LimitStrike extends LimitEvent {
  /** The peer's address as far as it is known; undefined behind a Unix socket. */
  readonly peer: string | undefined;
}

/** Told of every strike, however many there are: for counting. It is called while a socket is read, so it returns quickly. */
export type OnLimit = (strike: LimitStrike) => void;

/** An attack must not become one on the log as well. */
const maxLinesPerConnection = 10;
const maxLinesPerProcess = 100;

/** Counts lines by the second, and those that had to be left out since the last one. */
export class LinePace {
  private readonly maxPerSecond: number;
  private second = Number.NaN;
  private lines = 0;
  /** Lines left out since one was let through. */
  suppressed = 0;

  constructor(maxPerSecond: number) {
    this.maxPerSecond = maxPerSecond;
  }

  allows(nowMs: number): boolean {
    const second = Math.floor(nowMs / 1000);
    if (second !== this.second) {
      this.second = second;
      this.lines = 0;
    }
    if (this.lines >= this.maxPerSecond) {
      this.suppressed++;
      return false;
    }
    this.lines++;
    return true;
  }

  takeSuppressed(): number {
    const { suppressed } = this;
    this.suppressed = 0;
    return suppressed;
  }
}

/** All servers and channels of the process write to the same standard error in the end. */
const processPace = new LinePace(maxLinesPerProcess);

/** Makes log lines of strikes, at most ten a second for a connection and a hundred for the process, and hands all to `onLimit`. */
export class LimitReporter {
  private readonly log: Log;
  private readonly onLimit: OnLimit | undefined;
  private readonly clock: Clock;
  private readonly shared: LinePace;
  private readonly byConnection = new WeakMap<object, LinePace>();

  constructor(log: Log, onLimit: OnLimit | undefined, clock: Clock, shared: LinePace = processPace) {
    this.log = log;
    this.onLimit = onLimit;
    this.clock = clock;
    this.shared = shared;
  }

  /** `connection` is what lines are counted by; strikes on the way to one are counted together, with `undefined`. */
  report(event: LimitEvent, peer: string | undefined, connection: object = this): void {
    this.onLimit?.({ ...event, peer });
    let pace = this.byConnection.get(connection);
    if (pace === undefined) {
      pace = new LinePace(maxLinesPerConnection);
      this.byConnection.set(connection, pace);
    }
    const nowMs = this.clock.nowMs();
    if (!pace.allows(nowMs)) return;
    if (!this.shared.allows(nowMs)) {
      pace.suppressed++;
      return;
    }
    const suppressed = pace.takeSuppressed();
    const { limit, action, streamId, detail } = event;
    this.log.warn("a peer struck a limit", {
      limit,
      action,
      peer: peer === undefined ? undefined : printable(peer),
      ...(streamId === 0 ? {} : { streamId }),
      detail: printable(detail),
      ...(suppressed === 0 ? {} : { suppressed }),
    });
  }
}
