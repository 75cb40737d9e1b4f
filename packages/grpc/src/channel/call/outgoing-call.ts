import type { DescMethod } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import { abortError } from "../../call/abort-error.ts";
import { waitForReady } from "../../call/context/wait-for-ready.ts";
import type { MethodDefinition } from "../../call/method-definition.ts";
import { AttemptObservers, type OnAttempt } from "../../hooks/attempt-observer.ts";
import type { DeadlineEntry } from "../../time/deadline-wheel.ts";
import { callFields, replaceMetadata, replaceTimeout } from "../../transport/request-heads.ts";
import type { PickInfo } from "../balancer/index.ts";
import type { CompletePick } from "../core/waiter-queue.ts";
import { formatAddress } from "../naming/address-text.ts";
import { Attempt } from "./attempt.ts";
import type { CallContext } from "./call-context.ts";
import type { CallKind, CallOfKind, OutgoingCallInit } from "./call-kind.ts";
import { describeFailedCall, explainFailedCall } from "./explain-call.ts";
import type { MethodPlan } from "./method-plans.ts";
import { type RepeatedCall, RetryController } from "./retry-controller.ts";
import { type AttemptOwner, WaitingAttempt } from "./waiting-attempt.ts";

/**
 * A call as the application made it. Mostly it is one attempt; it makes further ones where the server has not seen the first,
 * or the service config has a policy for retries or hedging. Its kind is an object of its own. The deadline and the caller's signal
 * count from the beginning, all waits included.
 *
 * What an attempt brings counts from the moment on at which the call commits to it: when its response begins. Until then the
 * request is kept, so that it can be sent again.
 */
export class OutgoingCall implements AttemptOwner, RepeatedCall, CallOfKind, DeadlineEntry, PickInfo {
  deadlineAtMs = 0;
  nextDeadline: DeadlineEntry | undefined = undefined;
  previousDeadline: DeadlineEntry | undefined = undefined;
  deadlineSlot = -1;

  readonly calls: CallContext;
  readonly method: MethodDefinition;
  /** The latest attempt, or the one that the call has committed to. */
  attempt: Attempt;
  /** All attempts in order of their start, once there is more than one. */
  attempts: Attempt[] | undefined = undefined;
  startedAtMs = 0;
  repetition: RetryController | undefined = undefined;
  plan: MethodPlan;
  isOver = false;
  isCommitted = false;
  readonly init: OutgoingCallInit;
  private readonly kind: CallKind;
  private hasBegun = false;
  private fields: readonly string[];
  private madeHeader: Headers | undefined = undefined;
  private heldBytes = -1;
  /** Made only for a caller that gives a signal. */
  private onAbort: (() => void) | undefined = undefined;

  /** @throws ConnectError for metadata that gRPC cannot carry */
  constructor(calls: CallContext, plan: MethodPlan, init: OutgoingCallInit, kind: CallKind) {
    this.kind = kind;
    this.calls = calls;
    this.method = plan.method;
    this.init = init;
    this.plan = plan;
    this.fields = callFields(shorter(init.timeoutMs, this.plan.config.timeoutMs), init.metadata, calls.onDropped);
    this.attempt = new Attempt(plan, this, 0);
    this.attempt.sendValues = init.contextValues;
    kind.attach(this);
    kind.prepareAttempt?.(this.attempt);
  }

  begin(timeoutMs: number | undefined): void {
    this.start(timeoutMs);
    this.hasBegun = true;
  }

  private start(timeoutMs: number | undefined): void {
    const { core, clock, maxConcurrentCalls } = this.calls;
    this.startedAtMs = clock.nowMs();
    core.callStarted(this.startedAtMs);
    if (core.openCalls > maxConcurrentCalls) {
      const message = `${maxConcurrentCalls} calls are open on the channel, and maxConcurrentCalls allows no more`;
      this.finish(new ConnectError(message, Code.ResourceExhausted));
      return;
    }
    if (this.init.signal !== undefined && this.watchSignal(this.init.signal)) return;
    this.setTimeout(shorter(timeoutMs, this.plan.config.timeoutMs));
    if (!this.isOver) this.seekConnection(this.attempt, this.startedAtMs);
  }

  /** True: the caller has given up already, and the call is over. */
  private watchSignal(signal: AbortSignal): boolean {
    const onAbort = (): void => this.cancel(abortError(signal.reason));
    if (signal.aborted) {
      onAbort();
      return true;
    }
    this.onAbort = onAbort;
    signal.addEventListener("abort", onAbort, { once: true });
    return false;
  }

  /** Ends the call from this side. */
  cancel(error: ConnectError): void {
    this.finish(error);
  }

  onDeadline(): void {
    this.finish(new ConnectError(`the deadline has passed${this.describeCall()}`, Code.DeadlineExceeded));
  }

  describeCall(): string {
    return describeFailedCall(this);
  }

  // ---- PickInfo

  get methodPath(): string {
    return this.method.path;
  }

  get header(): Headers {
    this.madeHeader ??= new Headers(this.init.metadata);
    return this.madeHeader;
  }

  // ---- AttemptOwner

  get pickInfo(): PickInfo {
    return this;
  }

  /** The call began before the channel knew its service config, which is here now. */
  onServiceConfig(): void {
    const { attempt } = this;
    this.plan = this.calls.plans.renewed(this.plan);
    attempt.plan = this.plan;
    attempt.receiver.settings = this.plan.receive;
    if (attempt.wait !== undefined) attempt.wait.waitForReady = this.waitsForReady;
    const { timeoutMs } = this.plan.config;
    if (timeoutMs === undefined) return;
    if (this.deadlineAtMs > 0 && this.deadlineAtMs <= this.startedAtMs + timeoutMs) return;
    this.calls.deadlines.remove(this);
    this.fields = callFields(timeoutMs, this.init.metadata, this.calls.onDropped);
    this.setTimeout(timeoutMs);
  }

  onPick(attempt: Attempt, pick: CompletePick): void {
    attempt.pick = pick;
    attempt.observer?.onPick(formatAddress(pick.subchannel.address), attempt.wait !== undefined);
    try {
      attempt.open(this.plan.head, this.fieldsOf(attempt));
      this.kind.sendRequests(attempt);
    } catch (error) {
      this.cancel(ConnectError.from(error, Code.Internal));
      return;
    }
    if (this.plan.config.hedgingPolicy === undefined || this.isCommitted || this.isOver) return;
    this.repeat().sent();
  }

  onFail(attempt: Attempt, error: ConnectError, wasDropped: boolean): void {
    attempt.cancel(error);
    if (!attempt.isAbandoned) this.attemptFailed(attempt, error, wasDropped);
  }

  onHead(attempt: Attempt): void {
    if (attempt.isAbandoned || this.isOver) return;
    this.commit(attempt);
    this.kind.onHead?.(attempt);
  }

  onMessage(_attempt: Attempt, message: object | Promise<object>): void {
    if (!this.isOver) this.kind.onMessage?.(message);
  }

  onReaderGone(): void {
    this.cancel(new ConnectError("the caller took no more responses", Code.Canceled));
  }

  onWritable(attempt: Attempt): void {
    this.kind.onWritable?.(attempt);
  }

  onEnd(attempt: Attempt, error: ConnectError | undefined): void {
    attempt.settled(error);
    // One that never was on a connection is ended by `onFail`, which knows more.
    if (attempt.isAbandoned || this.isOver || attempt.pick === undefined) return;
    if (error === undefined) {
      this.calls.plans.throttle?.succeeded();
      this.commit(attempt);
      this.finish(undefined);
    } else {
      this.attemptFailed(attempt, error, false);
    }
  }

  // ---- RepeatedCall

  startAttempt(earlierAttempts: number, isTransparent: boolean): void {
    const attempt = new Attempt(this.plan, this, earlierAttempts);
    attempt.isTransparent = isTransparent;
    attempt.sendValues = this.init.contextValues;
    this.kind.prepareAttempt?.(attempt);
    this.attempts ??= [this.attempt];
    this.attempts.push(attempt);
    this.attempt = attempt;
    this.repetition?.began(attempt);
    this.seekConnection(attempt, this.calls.clock.nowMs());
  }

  abandon(attempt: Attempt, error = anotherWon()): void {
    attempt.isAbandoned = true;
    attempt.timesSince(this.startedAtMs).endedAtMs = this.calls.clock.nowMs();
    if (attempt.wait !== undefined) this.calls.core.remove(attempt.wait);
    attempt.cancel(error);
  }

  giveUp(attempt: Attempt, error: ConnectError): void {
    this.attempt = attempt;
    this.finish(error);
  }

  holdRequest(): boolean {
    if (this.isCommitted) return false;
    if (this.kind.canRepeat !== undefined) return this.kind.canRepeat();
    if (this.heldBytes >= 0) return true;
    const bytes = this.attempt.sentBytes;
    if (!this.calls.replayBudget.reserve(0, bytes)) return false;
    this.heldBytes = bytes;
    return true;
  }

  // ---- what its kind calls

  /** From now on the other attempts are ignored. */
  commit(attempt: Attempt): void {
    if (this.isCommitted) return;
    this.isCommitted = true;
    this.attempt = attempt;
    this.repetition?.commit(attempt);
    this.kind.onCommit?.(attempt);
    this.kind.forgetRequests?.();
    this.release();
  }

  private repeat(): RetryController {
    if (this.repetition === undefined) {
      const { calls, plan } = this;
      const { throttle } = calls.plans;
      this.repetition = new RetryController(this, {
        ...plan.config,
        throttle,
        clock: calls.clock,
        random: calls.random,
      });
      this.repetition.began(this.attempt);
    }
    return this.repetition;
  }

  private attemptFailed(attempt: Attempt, error: ConnectError, wasDropped: boolean): void {
    attempt.timesSince(this.startedAtMs).endedAtMs = this.calls.clock.nowMs();
    if (this.isCommitted) this.finish(error);
    else this.repeat().failed(attempt, error, wasDropped);
  }

  private seekConnection(attempt: Attempt, nowMs: number): void {
    const { core, onAttempt } = this.calls;
    const { desc } = this.method;
    // They belong to interceptors, which know methods by their descriptors.
    if (onAttempt !== undefined && desc !== undefined) this.observe(attempt, desc, onAttempt);
    if (!core.isConfigured) {
      core.leaveIdle();
      // Some names are resolved at once.
      if (core.isConfigured) this.onServiceConfig();
      if (this.isOver) return;
    }
    const pick = core.isConfigured ? core.tryPick(this) : undefined;
    if (this.attempts !== undefined || pick === undefined) {
      attempt.times = { startedAtMs: nowMs, sentAtMs: pick === undefined ? 0 : nowMs, headAtMs: 0, endedAtMs: 0 };
    }
    if (pick !== undefined) {
      this.onPick(attempt, pick);
      return;
    }
    attempt.wait = new WaitingAttempt(attempt, this, this.waitsForReady);
    core.enqueue(attempt.wait);
  }

  private observe(attempt: Attempt, method: DescMethod, listeners: readonly OnAttempt[]): void {
    const { calls } = this;
    const { earlierAttempts, isTransparent } = attempt;
    const { metadata } = this.init;
    // What interceptors have filled is at hand, and observers only read it.
    const headerOf = (): Headers => (metadata instanceof Headers ? metadata : this.header);
    attempt.observer = AttemptObservers.begin(listeners, {
      method,
      target: calls.target,
      earlierAttempts,
      isTransparent,
      get header() {
        return headerOf();
      },
    });
  }

  /** What the attempt adds to its call's head. */
  private fieldsOf(attempt: Attempt): readonly string[] {
    let fields = this.timedFieldsOf(attempt);
    if (attempt.observer === undefined) return fields;
    for (const metadata of attempt.observer.metadata) {
      fields = replaceMetadata(fields, metadata, this.calls.onDropped);
    }
    return fields;
  }

  /** What the attempt adds to its method's head: the time that is left, and how many attempts there were before. */
  private timedFieldsOf(attempt: Attempt): readonly string[] {
    if (attempt.wait === undefined && this.attempts === undefined) return this.fields;
    const { earlierAttempts } = attempt;
    const times = attempt.timesSince(this.startedAtMs);
    if (attempt.wait !== undefined) times.sentAtMs = this.calls.clock.nowMs();
    let { fields } = this;
    if (this.deadlineAtMs > 0) fields = replaceTimeout(fields, this.deadlineAtMs - times.sentAtMs);
    return earlierAttempts === 0 ? fields : [...fields, "grpc-previous-rpc-attempts", String(earlierAttempts)];
  }

  private get waitsForReady(): boolean {
    const { contextValues } = this.init;
    return contextValues?.get(waitForReady) ?? this.calls.waitForReady ?? this.plan.config.waitForReady ?? false;
  }

  /** Counted from the call's start. */
  private setTimeout(timeoutMs: number | undefined): void {
    if (timeoutMs === undefined) return;
    this.deadlineAtMs = this.startedAtMs + timeoutMs;
    if (timeoutMs <= 0) this.onDeadline();
    else this.calls.deadlines.add(this);
  }

  private finish(error: ConnectError | undefined): void {
    if (this.isOver) return;
    this.isOver = true;
    const { calls, attempt } = this;
    if (error !== undefined) {
      explainFailedCall(this, error);
      this.repetition?.stop(attempt);
      if (!attempt.isOver) this.abandon(attempt, error);
    }
    calls.deadlines.remove(this);
    if (this.onAbort !== undefined) this.init.signal?.removeEventListener("abort", this.onAbort);
    this.kind.forgetRequests?.();
    this.release();
    calls.core.callEnded(error);
    // What needed no I/O fails in a later turn: a caller that tries again at once would keep the event loop from all others, and from
    // the sockets whose events would let it succeed.
    if (error !== undefined && !this.hasBegun) setImmediate(() => this.kind.settle(error));
    else this.kind.settle(error);
  }

  private release(): void {
    if (this.heldBytes > 0) this.calls.replayBudget.release(this.heldBytes);
    this.heldBytes = -1;
  }
}

let madeAnotherWon: ConnectError | undefined;

/**
 * Made once, because attempts that lose are many and no one is shown their error; and not before it is needed, because the first error loads
 * what Node makes `Headers` of, which takes 20 ms.
 */
function anotherWon(): ConnectError {
  madeAnotherWon ??= new ConnectError("another attempt decided the call", Code.Canceled);
  return madeAnotherWon;
}

/** Of two time-outs the earlier counts. */
function shorter(given: number | undefined, configured: number | undefined): number | undefined {
  if (given === undefined || configured === undefined) return given ?? configured;
  return Math.min(given, configured);
}
