import { RollingWindow } from "./rolling-window.ts";

/**
 *                 too many failures            openMs are over
 *     closed ──────────────────────► open ──────────────────────► half-open
 *        ▲                            ▲                               │ │
 *        │                            └──────── a trial fails ────────┘ │
 *        └──────────────── as many trials succeed as are allowed ───────┘
 */
export type CircuitState = "closed" | "open" | "half-open";

export interface CircuitSettings {
  readonly failureThreshold: number;
  readonly failureRate: number;
  readonly minCalls: number;
  readonly windowMs: number;
  readonly openMs: number;
  readonly halfOpenCalls: number;
}

/** A call that the circuit let through. It ends in one of three ways; what is reported after that changes nothing. */
export interface Admitted {
  succeeded(): void;
  failed(): void;
  /** It says nothing about the server: the caller gave up. */
  withdrawn(): void;
}

/** How a circuit says no. */
export interface Refused {
  /** Until the next trial; 0 when only a running one has to end first. */
  readonly retryAfterMs: number;
}

/** The rules, without calls and timers: callers pass the time. */
export class Circuit {
  private readonly settings: CircuitSettings;
  private readonly onChange: (from: CircuitState, to: CircuitState) => void;
  private readonly window: RollingWindow;
  private now: CircuitState = "closed";
  private openedAtMs = 0;
  private trialsRunning = 0;
  private trialsSucceeded = 0;
  /** Counts the changes of state, so that a call's end is not held against a state it did not begin in. */
  private era = 0;

  constructor(settings: CircuitSettings, onChange: (from: CircuitState, to: CircuitState) => void) {
    this.settings = settings;
    this.onChange = onChange;
    this.window = new RollingWindow(settings.windowMs);
  }

  state(nowMs: number): CircuitState {
    if (this.now === "open" && nowMs - this.openedAtMs >= this.settings.openMs) return "half-open";
    return this.now;
  }

  totals(nowMs: number): { readonly calls: number; readonly failures: number } {
    return this.window.totals(nowMs);
  }

  /** The clock is asked again at the call's end. */
  admit(nowMs: () => number): Admitted | Refused {
    const begunMs = nowMs();
    if (this.now === "open") {
      const waitMs = this.openedAtMs + this.settings.openMs - begunMs;
      if (waitMs > 0) return { retryAfterMs: waitMs };
      this.change("half-open");
    }
    if (this.now === "half-open") {
      if (this.trialsRunning + this.trialsSucceeded >= this.settings.halfOpenCalls) return { retryAfterMs: 0 };
      this.trialsRunning++;
    }
    return this.admitted(nowMs);
  }

  private admitted(nowMs: () => number): Admitted {
    const { era } = this;
    let isReported = false;
    const once = (report: () => void) => () => {
      if (isReported) return;
      isReported = true;
      if (era === this.era) report();
    };
    return {
      succeeded: once(() => {
        if (this.now === "half-open") this.trialSucceeded();
        else this.window.add(nowMs(), false);
      }),
      failed: once(() => {
        if (this.now === "half-open") this.open(nowMs());
        else this.countFailure(nowMs());
      }),
      withdrawn: once(() => {
        if (this.now === "half-open") this.trialsRunning--;
      }),
    };
  }

  private trialSucceeded(): void {
    this.trialsRunning--;
    this.trialsSucceeded++;
    if (this.trialsSucceeded < this.settings.halfOpenCalls) return;
    this.window.clear();
    this.change("closed");
  }

  private countFailure(nowMs: number): void {
    const { failureThreshold, failureRate, minCalls } = this.settings;
    this.window.add(nowMs, true);
    const { calls, failures } = this.window.totals(nowMs);
    if (failures >= failureThreshold || (calls >= minCalls && failures / calls >= failureRate)) this.open(nowMs);
  }

  private open(nowMs: number): void {
    this.openedAtMs = nowMs;
    this.change("open");
  }

  private change(to: CircuitState): void {
    const from = this.now;
    this.now = to;
    this.era++;
    this.trialsRunning = 0;
    this.trialsSucceeded = 0;
    this.onChange(from, to);
  }
}
