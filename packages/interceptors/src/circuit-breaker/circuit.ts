import { RollingWindow } from "./rolling-window.ts";

/**
 *                 too many failures           openMs have passed
 *     closed ──────────────────────► open ──────────────────────► half-open
 *        ▲                            ▲                               │ │
 *        │                            └──────── a trial fails ────────┘ │
 *        └───────────────── halfOpenCalls trials succeed ───────────────┘
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

/** A call that the circuit has admitted. Only the first report of its end has an effect. */
export interface Admitted {
  succeeded(): void;
  failed(): void;
  /** The caller cancelled the call, which has no meaning for the server's state. */
  withdrawn(): void;
}

/** The result of a rejected call. */
export interface Refused {
  /** The time until the next trial; 0 while trials are running. */
  readonly retryAfterMs: number;
}

/** The state machine of a circuit, without I/O and timers: callers pass the time. */
export class Circuit {
  private readonly settings: CircuitSettings;
  private readonly onChange: (from: CircuitState, to: CircuitState) => void;
  private readonly window: RollingWindow;
  private now: CircuitState = "closed";
  private openedAtMs = 0;
  private trialsRunning = 0;
  private trialsSucceeded = 0;
  /** Counts the state changes: the end of a call has no effect on a later state. */
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

  /** Admits or rejects a call. `nowMs` is called again at the end of the call. */
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
