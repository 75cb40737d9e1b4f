import type { ConnectError } from "@connectrpc/connect";
import type { Clock } from "../../time/clock.ts";
import { ClientCall } from "../../transport/client/client-call.ts";
import { hasCode } from "../retry/code-set.ts";
import { type Pushback, readPushback } from "../retry/pushback.ts";
import { type HedgingPolicy, type RetryPolicy, retryDelayMs } from "../retry/retry-policy.ts";
import type { RetryThrottle } from "../retry/retry-throttle.ts";
import type { Attempt } from "./attempt.ts";

/** What a call does for its repetition. */
export interface RepeatedCall {
  /** Begins another attempt, which may end before this returns. */
  startAttempt(earlierAttempts: number, isTransparent: boolean): void;
  /** Ends an attempt that no one wants any more. */
  abandon(attempt: Attempt): void;
  /** The call is over with this error: it is not tried again. */
  giveUp(attempt: Attempt, error: ConnectError): void;
  /** Whether the whole request is still there, and may stay in memory; keeps it until the call commits. */
  holdRequest(): boolean;
}

export interface RepetitionSettings {
  readonly retryPolicy?: RetryPolicy;
  readonly hedgingPolicy?: HedgingPolicy;
  readonly throttle: RetryThrottle | undefined;
  readonly clock: Clock;
  readonly random: () => number;
}

/**
 * Decides whether and when a call is sent once more (gRFC A6). It exists only for calls that have failed once or are hedged,
 * and only until the call commits: until a response begins, the request does not fit the buffer any more, or the call ends.
 *
 * - transparent: the server has certainly not seen the attempt. Once for each call, at once, and counted nowhere.
 * - retry: after a failure with a code of the policy, and a pause.
 * - hedging: next to the attempts that are open, whenever the delay has passed or one of them has failed.
 */
export class RetryController {
  private readonly call: RepeatedCall;
  private readonly settings: RepetitionSettings;
  /** Those that are not over. */
  private readonly open = new Set<Attempt>();
  /** Attempts that count: transparent ones do not. */
  private attempts = 0;
  private wasRefused = false;
  /** Retries since the beginning or since a pause that the server has set, which starts the growth over. */
  private retriesInRow = 0;
  private hedgesAreOver = false;
  private lastFailure: { readonly attempt: Attempt; readonly error: ConnectError } | undefined = undefined;
  private cancelTimer: (() => void) | undefined = undefined;
  private nextAtMs = 0;
  private isOver = false;
  /** Why the call is not tried again; undefined while it may be, and without a retry or hedging policy. */
  reason: string | undefined = undefined;

  constructor(call: RepeatedCall, settings: RepetitionSettings) {
    this.call = call;
    this.settings = settings;
  }

  /** The time until the next attempt is due; undefined when none is planned. */
  get nextAttemptInMs(): number | undefined {
    return this.cancelTimer === undefined ? undefined : Math.max(0, this.nextAtMs - this.settings.clock.nowMs());
  }

  get openAttempts(): ReadonlySet<Attempt> {
    return this.open;
  }

  /** Another attempt seeks its connection. */
  began(attempt: Attempt): void {
    this.open.add(attempt);
    this.attempts = Math.max(this.attempts, attempt.earlierAttempts + 1);
  }

  /** An attempt is on its way, which is when the hedging delay begins. */
  sent(): void {
    const { hedgingPolicy } = this.settings;
    if (hedgingPolicy === undefined || !this.mayHedge(hedgingPolicy) || this.cancelTimer !== undefined) return;
    if (!this.call.holdRequest()) this.endHedges("the request does not fit the buffer");
    else if (hedgingPolicy.hedgingDelayMs === 0) this.startHedge(hedgingPolicy);
    else this.startHedgeAfter(hedgingPolicy, hedgingPolicy.hedgingDelayMs);
  }

  /** An attempt has failed before any part of a response was received. */
  failed(attempt: Attempt, error: ConnectError, wasDropped: boolean): void {
    this.open.delete(attempt);
    if (ClientCall.isUnprocessed(error) && !this.wasRefused) {
      this.wasRefused = true;
      this.call.startAttempt(attempt.earlierAttempts, true);
      return;
    }
    if (wasDropped) {
      this.giveUp(attempt, error, "the balancer dropped the call");
      return;
    }
    const { retryPolicy, hedgingPolicy } = this.settings;
    const pushback = error.isWireError ? readPushback(error.metadata) : undefined;
    if (hedgingPolicy !== undefined) this.hedgeFailed(hedgingPolicy, attempt, error, pushback);
    else this.retry(retryPolicy, attempt, error, pushback);
  }

  /** One attempt has won: the others are cancelled, and no more will begin. */
  commit(winner: Attempt): void {
    this.stop(winner);
  }

  /** The open attempt that has sent most: the one to continue with when the request no longer fits the buffer. */
  get furthest(): Attempt | undefined {
    let furthest: Attempt | undefined;
    for (const attempt of this.open) {
      if (furthest === undefined || attempt.sentMessages > furthest.sentMessages) furthest = attempt;
    }
    return furthest;
  }

  /** Ends all attempts but one. */
  stop(except: Attempt | undefined): void {
    this.isOver = true;
    this.clearTimer();
    for (const attempt of [...this.open]) if (attempt !== except) this.abandon(attempt);
  }

  private retry(
    policy: RetryPolicy | undefined,
    attempt: Attempt,
    error: ConnectError,
    pushback: Pushback | undefined,
  ): void {
    const { throttle, random } = this.settings;
    if (pushback === "never") {
      throttle?.failed();
      this.giveUp(attempt, error, "the server forbade further attempts");
      return;
    }
    if (policy === undefined) {
      this.giveUp(attempt, error, undefined);
      return;
    }
    if (!hasCode(policy.retryableCodes, error.code)) {
      this.giveUp(attempt, error, "the retry policy does not name this status");
      return;
    }
    throttle?.failed();
    const refusal = this.retryRefusal(policy);
    if (refusal !== undefined) {
      this.giveUp(attempt, error, refusal);
      return;
    }
    if (pushback === undefined) {
      const delayMs = retryDelayMs(policy, this.retriesInRow, random);
      this.retriesInRow++;
      this.startAfter(delayMs);
    } else {
      this.retriesInRow = 0;
      this.startAfter(pushback);
    }
  }

  private retryRefusal({ maxAttempts }: RetryPolicy): string | undefined {
    if (this.attempts >= maxAttempts) return `all ${maxAttempts} attempts were made`;
    if (this.settings.throttle?.isThrottling) return "retries are throttled";
    return this.call.holdRequest() ? undefined : "the request does not fit the buffer";
  }

  private hedgeFailed(
    policy: HedgingPolicy,
    attempt: Attempt,
    error: ConnectError,
    pushback: Pushback | undefined,
  ): void {
    const { throttle } = this.settings;
    const isFatal = !hasCode(policy.nonFatalCodes, error.code);
    if (!isFatal || pushback === "never") throttle?.failed();
    if (isFatal) {
      this.giveUp(attempt, error, "the hedging policy takes this status as final");
      return;
    }
    if (pushback === "never") this.endHedges("the server forbade further attempts");
    else if (typeof pushback === "number") this.startHedgeAfter(policy, pushback);
    else this.startHedge(policy);
    this.lastFailure = { attempt, error };
    this.giveUpWithoutHedges(policy);
  }

  /** The call fails once no attempt is open or to come. */
  private giveUpWithoutHedges(policy: HedgingPolicy): void {
    const { lastFailure } = this;
    // A hedge that began may have ended the call.
    if (this.isOver || this.open.size > 0 || this.cancelTimer !== undefined || lastFailure === undefined) return;
    const reason = this.reason ?? `all ${policy.maxAttempts} attempts were made`;
    this.giveUp(lastFailure.attempt, lastFailure.error, reason);
  }

  private mayHedge({ maxAttempts }: HedgingPolicy): boolean {
    return !this.isOver && !this.hedgesAreOver && this.attempts < maxAttempts;
  }

  private startHedge(policy: HedgingPolicy): void {
    this.clearTimer();
    if (!this.mayHedge(policy)) return;
    if (this.settings.throttle?.isThrottling) this.endHedges("hedges are throttled");
    else this.startAttempt();
  }

  private startHedgeAfter(policy: HedgingPolicy, delayMs: number): void {
    if (!this.mayHedge(policy)) return;
    this.plan(delayMs, () => {
      this.startHedge(policy);
      this.giveUpWithoutHedges(policy);
    });
  }

  private endHedges(reason: string): void {
    this.hedgesAreOver = true;
    this.reason = reason;
    this.clearTimer();
  }

  private startAfter(delayMs: number): void {
    this.plan(delayMs, () => this.startAttempt());
  }

  private plan(delayMs: number, run: () => void): void {
    const { clock } = this.settings;
    this.clearTimer();
    this.nextAtMs = clock.nowMs() + delayMs;
    // Somebody awaits the call, so the process does not end before.
    this.cancelTimer = clock.after(
      delayMs,
      () => {
        this.cancelTimer = undefined;
        run();
      },
      true,
    );
  }

  private startAttempt(): void {
    this.attempts++;
    this.call.startAttempt(this.attempts - 1, false);
  }

  private giveUp(attempt: Attempt, error: ConnectError, reason: string | undefined): void {
    this.reason = reason;
    this.stop(undefined);
    this.call.giveUp(attempt, error);
  }

  private abandon(attempt: Attempt): void {
    this.open.delete(attempt);
    this.call.abandon(attempt);
  }

  private clearTimer(): void {
    this.cancelTimer?.();
    this.cancelTimer = undefined;
  }
}
