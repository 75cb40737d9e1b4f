import { createBackoff, systemClock } from "@tercel/grpc";
import { pause } from "@tercel/grpc/internal";
import type { PortOwner } from "./port-owner.ts";
import {
  type Address,
  type CheckResult,
  checkProgram,
  type ServiceCommand,
  ServiceProcess,
} from "./service-process.ts";

/** The state of a service, as the status line shows it. */
export type ServiceState =
  | "waiting"
  | "starting"
  | "serving"
  | "not serving"
  | "checking"
  | "restarting"
  | "crashed"
  | "broken"
  | "stopping"
  | "stopped";

/** One start of a service: its program and its address. */
export interface StartPlan {
  readonly command: ServiceCommand;
  /** Address of gRPC; undefined if not known in advance. */
  readonly address: Address | undefined;
}

/** Callbacks of the supervisor of a service. */
export interface ServiceHost<Plan extends StartPlan> {
  /**
   * Reads the configuration and chooses ports for the next start.
   *
   * @throws Error with the reason why the service cannot be started until a file changes
   */
  plan(): Promise<Plan>;
  onLine(line: string): void;
  /** Reports an event of the service. */
  note(text: string): void;
  /** Reports an error with its output. */
  problem(title: string, output: string): void;
  /** Called when the state or the number of restarts changes. */
  onState(): void;
  /** Called when the service listens. `ended` is aborted when its process ends. */
  onListening(plan: Plan, ended: AbortSignal): void;
  /** Called when another process listens at the address before this one does. */
  onPortTaken(port: number, owner: PortOwner | undefined): void;
  /** Called when its process exits on its own. Resolves when the next start may be planned. */
  onCrash(plan: Plan): Promise<void>;
}

/** A process that runs this long has started successfully. */
const settledMs = 10_000;
const firstPauseMs = 500;
const maxPauseMs = 30_000;
/** Limit on lines of standard error that are held back before the program listens; further lines are shown at once. */
const maxHeldLines = 1000;

/**
 * Keeps one service running: restarts it after each change and, with backoff, when it exits. If a change does not load, the running process
 * stays.
 */
export class SupervisedService<Plan extends StartPlan> {
  readonly #host: ServiceHost<Plan>;
  readonly #backoff = createBackoff({ initialDelayMs: firstPauseMs, multiplier: 2, maxDelayMs: maxPauseMs });
  readonly #startedOnce = Promise.withResolvers<void>();
  readonly #ending = Promise.withResolvers<void>();
  #state: ServiceState = "waiting";
  #isServing = true;
  #process: ServiceProcess | undefined;
  /** The checked plan of the next start. */
  #next: Plan | undefined;
  #starts = 0;
  #failures = 0;
  /** Resolves at the next change. */
  #change = Promise.withResolvers<void>();
  #hasChanged = false;

  constructor(host: ServiceHost<Plan>) {
    this.#host = host;
  }

  get state(): ServiceState {
    return this.#state;
  }

  get restarts(): number {
    return Math.max(0, this.#starts - 1);
  }

  /** Resolves when the service listens or its first start has failed, so that dependent services need not wait longer. */
  get startedOnce(): Promise<void> {
    return this.#startedOnce.promise;
  }

  /** Notifies that a file of the service has changed. */
  change(): void {
    this.#hasChanged = true;
    this.#change.resolve();
  }

  /** Sets the health that the service reports. */
  setHealth(isServing: boolean): void {
    this.#isServing = isServing;
    if (["starting", "serving", "not serving"].includes(this.#state)) this.#setState(this.#healthState());
  }

  /** Kills the process. */
  kill(): void {
    this.#process?.kill();
  }

  /** Runs the service until the signal is aborted, then drains it. Resolves to false if it was killed. */
  async run(signal: AbortSignal): Promise<boolean> {
    signal.addEventListener("abort", () => this.#ending.resolve(), { once: true });
    try {
      while (!signal.aborted) await this.#runOnce(signal);
      this.#setState("stopping");
      return await this.#stopProcess();
    } finally {
      this.#setState("stopped");
      this.#startedOnce.resolve();
    }
  }

  /** Starts a process and follows it to its end. */
  async #runOnce(signal: AbortSignal): Promise<void> {
    this.#takeChange();
    const plan = this.#next ?? (await this.#plan());
    this.#next = undefined;
    if (plan === undefined) return this.#waitForRepair();
    this.#setState("starting");
    this.#isServing = true;
    this.#starts++;
    const startedAtMs = performance.now();
    const output = new StartOutput((line) => this.#host.onLine(line));
    const process = new ServiceProcess(plan.command, output);
    this.#process = process;
    const ended = new AbortController();
    void process.ended.then(() => ended.abort());
    const started = this.#followStart(process, plan, output, ended.signal);
    const isReplaced = await this.#waitForReplacement(process, signal);
    if (signal.aborted) return;
    if (isReplaced) {
      this.#setState("restarting");
      await this.#stopProcess();
      this.#failures = 0;
      return;
    }
    const hasListened = await started;
    if (signal.aborted || this.#hasChanged) return;
    if (!hasListened && !(await this.#canLoad(plan, output, signal))) return this.#waitForRepair();
    if (signal.aborted || this.#hasChanged) return;
    await this.#host.onCrash(plan);
    await this.#pauseAfterCrash(process, performance.now() - startedAtMs, signal);
  }

  async #plan(): Promise<Plan | undefined> {
    try {
      return await this.#host.plan();
    } catch (error) {
      const { message, lines = [] } = error as Error & { readonly lines?: readonly string[] };
      this.#host.problem("cannot start", [message, ...lines].join("\n"));
      return undefined;
    }
  }

  /** Waits for a change: the error is in the files, so a retry would fail the same way. */
  async #waitForRepair(): Promise<void> {
    this.#setState("broken");
    this.#startedOnce.resolve();
    await Promise.race([this.#change.promise, this.#ending.promise]);
  }

  /** Resolves to whether the process listened. */
  async #followStart(process: ServiceProcess, plan: Plan, output: StartOutput, ended: AbortSignal): Promise<boolean> {
    // Without a known address, only the log shows when it is ready.
    const { address } = plan;
    const isListening =
      address === undefined
        ? !process.hasEnded
        : await process.listens(address, (owner) => this.#host.onPortTaken(address.port, owner));
    if (!isListening || ended.aborted) return false;
    output.release();
    this.#setState(this.#healthState());
    this.#host.onListening(plan, ended);
    this.#startedOnce.resolve();
    return true;
  }

  /** Resolves to true when a valid change must replace the process, and to false when the process has ended or everything stops. */
  async #waitForReplacement(process: ServiceProcess, signal: AbortSignal): Promise<boolean> {
    for (;;) {
      await Promise.race([process.ended, this.#change.promise, this.#ending.promise]);
      if (signal.aborted || process.hasEnded) return false;
      if (await this.#prepareNext(signal)) return true;
      if (signal.aborted || process.hasEnded) return false;
    }
  }

  /** Checks the current files for the next start. Another change restarts the check. */
  async #prepareNext(signal: AbortSignal): Promise<boolean> {
    this.#setState("checking");
    for (;;) {
      this.#takeChange();
      const plan = await this.#plan();
      const result = plan === undefined ? undefined : await this.#check(plan, signal);
      if (signal.aborted) return false;
      if (plan !== undefined && result?.isGood === true) {
        this.#next = plan;
        return true;
      }
      if (this.#hasChanged) continue;
      if (result !== undefined) this.#host.problem("change does not load", result.output);
      this.#host.note("the previous process keeps running");
      this.#setState(this.#healthState());
      return false;
    }
  }

  /** Resolves to undefined if another change occurred. */
  async #check({ command }: Plan, signal: AbortSignal): Promise<CheckResult | undefined> {
    const checking = new AbortController();
    const check = checkProgram(command, AbortSignal.any([signal, checking.signal])).catch(() => undefined);
    const result = await Promise.race([check, this.#change.promise.then(() => undefined)]);
    checking.abort();
    await check;
    return result;
  }

  /** Checks after a failed start whether the program loads. Reports the error, else the program's own output. */
  async #canLoad(plan: Plan, output: StartOutput, signal: AbortSignal): Promise<boolean> {
    const result = await this.#check(plan, signal);
    // Another change occurred in the meantime.
    if (result === undefined) return true;
    if (result.isGood) output.release();
    else this.#host.problem("does not load", result.output);
    return result.isGood;
  }

  async #pauseAfterCrash(process: ServiceProcess, aliveMs: number, signal: AbortSignal): Promise<void> {
    const { code, signal: killedBy } = await process.ended;
    this.#failures = aliveMs >= settledMs ? 0 : this.#failures + 1;
    const pauseMs = this.#failures === 0 ? 0 : this.#backoff(this.#failures - 1);
    this.#setState("crashed");
    this.#startedOnce.resolve();
    const how = killedBy === null ? `with code ${code}` : `by ${killedBy}`;
    this.#host.note(`exited ${how}; restarts in ${(pauseMs / 1000).toFixed(1)} s or after a change`);
    const over = new AbortController();
    await Promise.race([
      pause(systemClock, pauseMs, AbortSignal.any([signal, over.signal]), true),
      this.#change.promise,
    ]);
    over.abort();
  }

  async #stopProcess(): Promise<boolean> {
    return (await this.#process?.stop()) ?? true;
  }

  #takeChange(): void {
    if (!this.#hasChanged) return;
    this.#hasChanged = false;
    this.#change = Promise.withResolvers();
  }

  #healthState(): ServiceState {
    return this.#isServing ? "serving" : "not serving";
  }

  #setState(state: ServiceState): void {
    if (this.#state === state) return;
    this.#state = state;
    this.#host.onState();
  }
}

/** The output of a process. Standard error is held back until it listens: if it does not load, a shorter report replaces it. */
class StartOutput {
  readonly #onLine: (line: string) => void;
  #held: string[] | undefined = [];

  constructor(onLine: (line: string) => void) {
    this.#onLine = onLine;
  }

  stdout(line: string): void {
    this.#onLine(line);
  }

  stderr(line: string): void {
    if (this.#held === undefined) this.#onLine(line);
    else if (this.#held.push(line) > maxHeldLines) this.release();
  }

  release(): void {
    const held = this.#held ?? [];
    this.#held = undefined;
    for (const line of held) this.#onLine(line);
  }
}
