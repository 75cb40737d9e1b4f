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

/** What a service is doing, as the status shows it. */
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

/** One start of a service: its program, and where it will listen. */
export interface StartPlan {
  readonly command: ServiceCommand;
  /** Where gRPC is served; undefined where that is not known beforehand. */
  readonly address: Address | undefined;
}

/** What the supervisor of a service needs around it. */
export interface ServiceHost<Plan extends StartPlan> {
  /**
   * Reads the configuration and chooses ports, for the next start.
   *
   * @throws Error that says why it cannot be started before something has changed
   */
  plan(): Promise<Plan>;
  onLine(line: string): void;
  /** Says what happens to the service. */
  note(text: string): void;
  /** Says what is wrong with it, in several lines. */
  problem(title: string, output: string): void;
  /** The state or the number of restarts has changed. */
  onState(): void;
  /** It listens, until the signal is aborted. */
  onListening(plan: Plan, ended: AbortSignal): void;
  /** The process has not begun to listen, and another one has its port. */
  onPortTaken(port: number, owner: PortOwner | undefined): void;
  /** Its process has ended by itself. Resolves when another start may be planned. */
  onCrash(plan: Plan): Promise<void>;
}

/** A process that has lived for so long had no trouble in starting. */
const settledMs = 10_000;
const firstPauseMs = 500;
const maxPauseMs = 30_000;
/** What a program may say on standard error before it listens; the rest is shown at once. */
const maxHeldLines = 1000;

/**
 * Keeps one service running: starts it again after each change and, with growing pauses, when it ends by itself. A change that does not load
 * leaves the process that runs as it is.
 */
export class SupervisedService<Plan extends StartPlan> {
  readonly #host: ServiceHost<Plan>;
  readonly #backoff = createBackoff({ initialDelayMs: firstPauseMs, multiplier: 2, maxDelayMs: maxPauseMs });
  readonly #startedOnce = Promise.withResolvers<void>();
  readonly #ending = Promise.withResolvers<void>();
  #state: ServiceState = "waiting";
  #isServing = true;
  #process: ServiceProcess | undefined;
  /** Checked, and to be started next. */
  #next: Plan | undefined;
  #starts = 0;
  #failures = 0;
  /** Resolved by the next change. */
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

  /** Resolves when it listens, or its first start has failed: those that wait for it need not wait longer. */
  get startedOnce(): Promise<void> {
    return this.#startedOnce.promise;
  }

  /** A file of the service has changed. */
  change(): void {
    this.#hasChanged = true;
    this.#change.resolve();
  }

  /** What its health says. */
  setHealth(isServing: boolean): void {
    this.#isServing = isServing;
    if (["starting", "serving", "not serving"].includes(this.#state)) this.#setState(this.#healthState());
  }

  /** Ends its process at once. */
  kill(): void {
    this.#process?.kill();
  }

  /** Runs the service until the signal is aborted, and lets it drain then. Resolves to false if it had to be ended. */
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

  /** From a start up to the end of the process that it has started. */
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
      this.#host.problem("cannot be started", [message, ...lines].join("\n"));
      return undefined;
    }
  }

  /** What is wrong is in the files: another try without a change would end the same way. */
  async #waitForRepair(): Promise<void> {
    this.#setState("broken");
    this.#startedOnce.resolve();
    await Promise.race([this.#change.promise, this.#ending.promise]);
  }

  /** Resolves to whether it has listened. */
  async #followStart(process: ServiceProcess, plan: Plan, output: StartOutput, ended: AbortSignal): Promise<boolean> {
    // Without a known address the log is all there is.
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

  /** Resolves to true when a change that loads is to replace the process, and to false when the process has ended or all is to end. */
  async #waitForReplacement(process: ServiceProcess, signal: AbortSignal): Promise<boolean> {
    for (;;) {
      await Promise.race([process.ended, this.#change.promise, this.#ending.promise]);
      if (signal.aborted || process.hasEnded) return false;
      if (await this.#prepareNext(signal)) return true;
      if (signal.aborted || process.hasEnded) return false;
    }
  }

  /** Checks what is in the files now, for the next start. Another change meanwhile begins the check again. */
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
      if (result !== undefined) this.#host.problem("the change does not load", result.output);
      this.#host.note("the process before the change goes on");
      this.#setState(this.#healthState());
      return false;
    }
  }

  /** Undefined when another change came. */
  async #check({ command }: Plan, signal: AbortSignal): Promise<CheckResult | undefined> {
    const checking = new AbortController();
    const check = checkProgram(command, AbortSignal.any([signal, checking.signal])).catch(() => undefined);
    const result = await Promise.race([check, this.#change.promise.then(() => undefined)]);
    checking.abort();
    await check;
    return result;
  }

  /** After a failed start: whether the program itself is in order. Shows what is wrong, else what it said itself. */
  async #canLoad(plan: Plan, output: StartOutput, signal: AbortSignal): Promise<boolean> {
    const result = await this.#check(plan, signal);
    // There was another change meanwhile.
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
    const how = killedBy === null ? `with exit code ${code}` : `by ${killedBy}`;
    this.#host.note(`ended ${how}; starts again in ${(pauseMs / 1000).toFixed(1)} s, or after a change`);
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

/** What a process prints. Until it listens, standard error is held back: if it does not load, that is said in a better way. */
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
