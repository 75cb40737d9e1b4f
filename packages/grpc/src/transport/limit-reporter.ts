import type { LimitAction, LimitEvent, LimitName } from "@tercel/http2";
import { LinePace, processPace } from "../logging/line-pace.ts";
import type { Log } from "../logging/log.ts";
import { printable } from "../logging/printable.ts";
import { thrownText } from "../logging/thrown-text.ts";
import type { Clock } from "../time/clock.ts";

export type { LimitAction, LimitName };

/** A peer has exceeded a limit of this process, and what followed. */
export interface LimitExceeded extends LimitEvent {
  /** The peer's address as far as it is known; undefined for a Unix socket. */
  readonly peer: string | undefined;
}

/** Told of every strike, however many there are: for counting. It is called while a socket is read, so it returns quickly; what it throws is logged, once a minute at most. */
export type OnLimit = (strike: LimitExceeded) => void;

/** An attack must not become one on the log as well. */
const maxLinesPerConnection = 10;

/** A harmless event may repeat for as long as a service runs. */
const warnedPeriodMs = 60_000;

/**
 * Logs exceeded limits, at most ten lines a second for a connection and a hundred for the process, one a minute of what has no consequence,
 * and hands all to `onLimit`.
 */
export class LimitReporter {
  private readonly log: Log;
  private readonly onLimit: OnLimit | undefined;
  private readonly clock: Clock;
  private readonly shared: LinePace;
  private readonly byConnection = new WeakMap<object, LinePace>();
  private readonly warned = new LinePace(1, warnedPeriodMs);
  private readonly failures = new LinePace(1, warnedPeriodMs);

  constructor(log: Log, onLimit: OnLimit | undefined, clock: Clock, shared: LinePace = processPace) {
    this.log = log;
    this.onLimit = onLimit;
    this.clock = clock;
    this.shared = shared;
  }

  /** `connection` is what lines are counted by; strikes on the way to one are counted together, with `undefined`. */
  report(event: LimitEvent, peer: string | undefined, connection: object = this): void {
    this.notify({ ...event, peer });
    const pace = event.action === "warned" ? this.warned : this.paceOf(connection);
    const nowMs = this.clock.nowMs();
    if (!pace.allows(nowMs)) return;
    if (!this.shared.allows(nowMs)) {
      pace.suppressed++;
      return;
    }
    const suppressed = pace.takeSuppressed();
    const { limit, action, streamId, detail } = event;
    this.log.warn(action === "warned" ? "a peer came near a limit" : "a peer exceeded a limit", {
      limit,
      action,
      peer: peer === undefined ? undefined : printable(peer),
      ...(streamId === 0 ? {} : { streamId }),
      detail: printable(detail),
      ...(suppressed === 0 ? {} : { suppressed }),
    });
  }

  /** It is called while a socket is read: what it throws would end what is read. */
  private notify(strike: LimitExceeded): void {
    try {
      this.onLimit?.(strike);
    } catch (error) {
      if (!this.failures.allows(this.clock.nowMs())) return;
      this.log.error("onLimit failed", { limit: strike.limit, error: thrownText(error) });
    }
  }

  private paceOf(connection: object): LinePace {
    let pace = this.byConnection.get(connection);
    if (pace === undefined) {
      pace = new LinePace(maxLinesPerConnection);
      this.byConnection.set(connection, pace);
    }
    return pace;
  }
}
