import type { Code, ConnectError } from "@connectrpc/connect";
import { keepsProcessAlive } from "../../call/keeps-process-alive.ts";
import type { AttemptObservers } from "../../hooks/attempt-observer.ts";
import { ClientCall, type ClientCallListener } from "../../transport/client/client-call.ts";
import type { ClientCallPlan } from "../../transport/client/client-call-settings.ts";
import type { CallOutcome } from "../balancer/index.ts";
import type { CallWaiter, CompletePick } from "../core/waiter-queue.ts";
import type { MethodPlan } from "./method-plans.ts";

/** When what happened, by the clock's `nowMs`; 0 for what has not. */
export interface AttemptTimestamps {
  readonly startedAtMs: number;
  /** It got a stream on a connection. */
  sentAtMs: number;
  /** The response began; noted for streams only. */
  headAtMs: number;
  /** It failed. */
  endedAtMs: number;
}

/**
 * One attempt of a call: waits for a connection, runs on it, and ends. A call that is neither retried nor hedged is
 * one attempt.
 */
export class Attempt extends ClientCall implements CallOutcome {
  /** Attempts that a server has seen before this one; what `grpc-previous-rpc-attempts` says. */
  readonly earlierAttempts: number;
  /** Undefined for an attempt that began with its call and found its connection at once. */
  times: AttemptTimestamps | undefined = undefined;
  error: ConnectError | undefined = undefined;
  /** It had to wait for its connection, and may still; then less is left of the deadline than at the start. */
  wait: CallWaiter | undefined = undefined;
  /** Another attempt has won, or the call is over: the result of this one is ignored. */
  isAbandoned = false;
  pick: CompletePick | undefined = undefined;
  /** The attempt before it was not seen by a server. */
  isTransparent = false;
  declare observer: AttemptObservers | undefined;
  /** For streams: how many of the requests it has sent, whether the stream has room, and whether the last one has been sent. */
  sentMessages = 0;
  isBlocked = false;
  hasEndedRequests = false;
  /** It has a stream on a connection and is not over. */
  private isOpen = false;

  constructor(plan: ClientCallPlan, owner: ClientCallListener, earlierAttempts: number) {
    super(plan, owner);
    this.earlierAttempts = earlierAttempts;
  }

  /** Its times; an attempt without its own has those of its call. */
  timesSince(callStartedAtMs: number): AttemptTimestamps {
    this.times ??= {
      startedAtMs: callStartedAtMs,
      sentAtMs: this.pick === undefined ? 0 : callStartedAtMs,
      headAtMs: 0,
      endedAtMs: 0,
    };
    return this.times;
  }

  /** Opens a stream on the connection and sends the request's head. */
  open(head: MethodPlan["head"], fields: readonly string[]): void {
    const { pick } = this;
    const connection = pick?.subchannel.connection;
    if (pick === undefined || connection === undefined)
      throw new Error("an attempt was opened before it had a connection");
    const { calls } = pick.subchannel;
    if (calls !== undefined) calls.started++;
    this.isOpen = true;
    pick.tracker?.onStart();
    connection.start(this, head, fields);
    if (!this.keepsProcessAlive) this.unref();
  }

  get keepsProcessAlive(): boolean {
    return this.sendValues?.get(keepsProcessAlive) !== false;
  }

  /** The attempt is over: notifies the balancer. */
  settled(error: ConnectError | undefined): void {
    this.error = error;
    this.observer?.onEnd(error);
    const { pick } = this;
    if (!this.isOpen || pick === undefined) return;
    this.isOpen = false;
    const { calls } = pick.subchannel;
    if (calls !== undefined) {
      if (error === undefined) calls.succeeded++;
      else calls.failed++;
    }
    pick.tracker?.onEnd(this);
    pick.subchannel.onCallEnd?.(this);
  }

  // ---- CallOutcome

  get code(): Code | undefined {
    return this.error?.code;
  }

  get wasAnswered(): boolean {
    return this.hasHead;
  }

  trailer(name: string): string | null {
    return this.trailerField(name);
  }
}
