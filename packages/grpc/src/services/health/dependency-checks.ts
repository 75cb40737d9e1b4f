import { thrownMessage } from "../../logging/thrown-text.ts";
import { checkWholeNumber, refuseUnknownOptions } from "../../options/check-options.ts";
import type { Clock } from "../../time/clock.ts";

/** Something that services depend on, checked regularly. */
export interface HealthCheck {
  /** What it is called in reports, such as `database`. Unique. */
  readonly name: string;
  /** Throws, or rejects, while the dependency is not there. The signal aborts when the time for an answer is over. */
  readonly check: (signal: AbortSignal) => unknown;
  /** Between the end of one check and the next. Default 10,000 ms. */
  readonly intervalMs?: number;
  /** Without an answer after this long the check has failed. Default 5,000 ms. */
  readonly timeoutMs?: number;
  /** Services do not serve while a required dependency is missing. Default true; the others are only reported. */
  readonly required?: boolean;
  /** Full names of the services that need it. Default: all, and the server as a whole. */
  readonly services?: readonly string[];
  /** Failures in a row until a dependency that was there counts as missing. Default 1; the first check counts at once. */
  readonly failuresUntilMissing?: number;
}

export interface DependencyReport {
  readonly name: string;
  /** `unknown` until the first check has ended. */
  readonly state: "unknown" | "present" | "missing";
  readonly required: boolean;
  /** Why the last check failed; undefined if it did not. */
  readonly problem: string | undefined;
  /** Since when the state holds, by the clock of the health service. */
  readonly sinceMs: number;
}

const defaultIntervalMs = 10_000;
const defaultTimeoutMs = 5_000;
/** Problems are shown to operators; a proxy's page of HTML does not help them. */
const maxProblemCharacters = 256;

/** Runs checks, one at a time of each, and says which dependencies are missing. */
export class DependencyChecks {
  readonly #dependencies: readonly Dependency[];
  #isRunning = false;

  /** `onChange` runs whenever a dependency has come or gone. */
  constructor(checks: readonly HealthCheck[], clock: Clock, onChange: (report: DependencyReport) => void) {
    const names = new Set<string>();
    for (const check of checks) {
      checkHealthCheck(check);
      if (names.has(check.name)) throw new TypeError(`createHealth: two checks have the name "${check.name}"`);
      names.add(check.name);
    }
    this.#dependencies = checks.map((check) => new Dependency(check, clock, onChange));
  }

  /** Resolves when each check has ended once. */
  async start(): Promise<void> {
    this.#isRunning = true;
    await Promise.all(this.#dependencies.map((dependency) => dependency.run(() => this.#isRunning)));
  }

  stop(): void {
    this.#isRunning = false;
    for (const dependency of this.#dependencies) dependency.stop();
  }

  /** Whether a required dependency of the service is unhealthy. "" is the server as a whole. */
  blocks(service: string): boolean {
    return this.#dependencies.some((dependency) => dependency.blocks(service));
  }

  reports(): DependencyReport[] {
    return this.#dependencies.map((dependency) => dependency.report());
  }
}

class Dependency {
  readonly #check: HealthCheck;
  readonly #clock: Clock;
  readonly #onChange: (report: DependencyReport) => void;
  #state: DependencyReport["state"] = "unknown";
  #problem: string | undefined;
  #sinceMs: number;
  #failures = 0;
  #cancelNext: (() => void) | undefined;
  #abort: AbortController | undefined;

  constructor(check: HealthCheck, clock: Clock, onChange: (report: DependencyReport) => void) {
    this.#check = check;
    this.#clock = clock;
    this.#onChange = onChange;
    this.#sinceMs = clock.nowMs();
  }

  blocks(service: string): boolean {
    const { required = true, services } = this.#check;
    if (!required || this.#state === "present") return false;
    return services === undefined || service === "" || services.includes(service);
  }

  report(): DependencyReport {
    const { name, required = true } = this.#check;
    return { name, state: this.#state, required, problem: this.#problem, sinceMs: this.#sinceMs };
  }

  async run(isRunning: () => boolean): Promise<void> {
    const problem = await this.#ask();
    if (!isRunning()) return;
    this.#failures = problem === undefined ? 0 : this.#failures + 1;
    this.#problem = problem;
    const isTolerated = this.#state === "present" && this.#failures < (this.#check.failuresUntilMissing ?? 1);
    if (problem === undefined || isTolerated) this.#enter("present");
    else this.#enter("missing");
    this.#cancelNext = this.#clock.after(this.#check.intervalMs ?? defaultIntervalMs, () => void this.run(isRunning));
  }

  stop(): void {
    this.#cancelNext?.();
    this.#abort?.abort(new Error("the health checks were stopped"));
  }

  #enter(state: "present" | "missing"): void {
    if (state === this.#state) return;
    this.#state = state;
    this.#sinceMs = this.#clock.nowMs();
    this.#onChange(this.report());
  }

  /** What is wrong; undefined if nothing is. A check that never answers costs one promise, not one per round. */
  async #ask(): Promise<string | undefined> {
    const timeoutMs = this.#check.timeoutMs ?? defaultTimeoutMs;
    const abort = new AbortController();
    this.#abort = abort;
    const cancelTimeout = this.#clock.after(timeoutMs, () =>
      abort.abort(new Error(`no answer within ${timeoutMs} ms`)),
    );
    try {
      await Promise.race([
        new Promise((resolve) => resolve(this.#check.check(abort.signal))),
        new Promise((_, reject) => {
          abort.signal.addEventListener("abort", () => reject(abort.signal.reason), { once: true });
        }),
      ]);
      return undefined;
    } catch (error) {
      return thrownMessage(error).slice(0, maxProblemCharacters);
    } finally {
      cancelTimeout();
    }
  }
}

const checkNames: readonly (keyof HealthCheck)[] = [
  "name",
  "check",
  "intervalMs",
  "timeoutMs",
  "required",
  "services",
  "failuresUntilMissing",
];

function checkHealthCheck(check: HealthCheck): void {
  const where = `createHealth: check "${check.name}"`;
  refuseUnknownOptions(where, check, checkNames);
  if (typeof check.name !== "string" || check.name === "") throw new TypeError("createHealth: a check needs a name");
  if (typeof check.check !== "function") throw new TypeError(`${where}: check has to be a function`);
  checkWholeNumber(where, "intervalMs", check.intervalMs, 1, Number.MAX_SAFE_INTEGER);
  checkWholeNumber(where, "timeoutMs", check.timeoutMs, 1, Number.MAX_SAFE_INTEGER);
  checkWholeNumber(where, "failuresUntilMissing", check.failuresUntilMissing, 1, Number.MAX_SAFE_INTEGER);
}
