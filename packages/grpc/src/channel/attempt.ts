import type { DescMethod } from "@bufbuild/protobuf";
import type { Code, ConnectError } from "@connectrpc/connect";
import { ClientCall, type ClientCallListener, type ClientCallSettings } from "../transport/client-call.ts";
import type { Http2ClientConnection } from "../transport/http2-client-connection.ts";
import type { CallOutcome, PickInfo } from "./balancer/index.ts";
import type { MethodPlan } from "./method-plans.ts";
import type { CallCounts } from "./subchannel/index.ts";
import type { CallWaiter, CompletePick, WaiterQueue } from "./waiter-queue.ts";

/** Whoever makes attempts: it is told of each what becomes of it. */
export interface AttemptOwner extends ClientCallListener {
  readonly pickInfo: PickInfo;
  /** The attempt has a subchannel, whose connection it has to `open` on before this returns. */
  onPick(attempt: Attempt): void;
  onFail(attempt: Attempt, error: ConnectError, wasDropped: boolean): void;
  onServiceConfig(): void;
}

/** When what happened, by the clock's `nowMs`; 0 for what has not. */
export interface AttemptTimestamps {
  readonly startedAtMs: number;
  /** It had its place on a connection. */
  sentAtMs: number;
  /** The response began; noted for streams only. */
  headAtMs: number;
  /** It failed. */
  endedAtMs: number;
}

/**
 * One try to make a call: waits for a connection, has its place there, and ends. A call that is neither repeated nor hedged is
 * one attempt.
 */
export class Attempt extends ClientCall implements CallWaiter, CallOutcome {
  waitForReady: boolean;
  /** Attempts that a server has seen before this one; what `grpc-previous-rpc-attempts` says. */
  readonly earlierAttempts: number;
  /** Undefined for an attempt that began with its call, found its connection at once, and has nothing more to tell. */
  times: AttemptTimestamps | undefined = undefined;
  error: ConnectError | undefined = undefined;
  /** It had to wait for its connection, so less is left of the deadline than at the start. */
  hasWaited = false;
  /** Another attempt has won, or the call is over: what becomes of this one is of no interest. */
  isAbandoned = false;
  pick: CompletePick | undefined = undefined;
  /** For streams: how many of the requests it has sent, whether the stream has room, and whether it knows that there are no more. */
  sentMessages = 0;
  isBlocked = false;
  hasEndedRequests = false;
  // Links of the channel's queue.
  queue: WaiterQueue | undefined = undefined;
  previousWaiter: CallWaiter | undefined = undefined;
  nextWaiter: CallWaiter | undefined = undefined;
  private isTracked = false;
  /** Those of its subchannel, until it is over. */
  private counts: CallCounts | undefined = undefined;

  constructor(
    settings: ClientCallSettings,
    method: DescMethod,
    owner: AttemptOwner,
    waitForReady: boolean,
    earlierAttempts: number,
  ) {
    super(settings, method, owner);
    this.waitForReady = waitForReady;
    this.earlierAttempts = earlierAttempts;
  }

  /** Its times, for those who note one or ask; one without has those of its call. */
  timesSince(callStartedAtMs: number): AttemptTimestamps {
    this.times ??= {
      startedAtMs: callStartedAtMs,
      sentAtMs: this.pick === undefined ? 0 : callStartedAtMs,
      headAtMs: 0,
      endedAtMs: 0,
    };
    return this.times;
  }

  /** Takes its place on the connection and sends the request's head. */
  open(head: MethodPlan["head"], fields: readonly string[]): void {
    const { pick } = this;
    if (pick === undefined) throw new Error("an attempt was opened before it was picked for");
    const { calls } = pick.subchannel;
    if (calls !== undefined) {
      this.counts = calls;
      calls.started++;
    }
    if (pick.tracker !== undefined) {
      this.isTracked = true;
      pick.tracker.onStart();
    }
    (pick.subchannel.connection as Http2ClientConnection).start(this, head, fields);
  }

  /** The attempt is over: tells the balancer. */
  settled(error: ConnectError | undefined): void {
    this.error = error;
    const { counts } = this;
    if (counts !== undefined) {
      this.counts = undefined;
      if (error === undefined) counts.succeeded++;
      else counts.failed++;
    }
    if (!this.isTracked) return;
    this.isTracked = false;
    this.pick?.tracker?.onEnd(this);
  }

  // ---- CallWaiter

  get pickInfo(): PickInfo {
    return (this.listener as AttemptOwner).pickInfo;
  }

  onPick(pick: CompletePick): void {
    this.pick = pick;
    (this.listener as AttemptOwner).onPick(this);
  }

  onFail(error: ConnectError, wasDropped: boolean): void {
    (this.listener as AttemptOwner).onFail(this, error, wasDropped);
  }

  onServiceConfig(): void {
    (this.listener as AttemptOwner).onServiceConfig();
  }

  // ---- CallOutcome

  get code(): Code | undefined {
    return this.error?.code;
  }

  trailer(name: string): string | null {
    return this.trailerField(name);
  }
}
