import type { ConnectError, ContextValues } from "@connectrpc/connect";
import type { MetadataInit } from "../../protocol/metadata.ts";
import type { Attempt } from "./attempt.ts";
import type { CallContext } from "./call-context.ts";
import type { MethodPlan } from "./method-plans.ts";
import type { RetryController } from "./retry-controller.ts";

/** The caller's options for one call. */
export interface OutgoingCallInit {
  readonly signal: AbortSignal | undefined;
  readonly timeoutMs: number | undefined;
  readonly metadata: MetadataInit | undefined;
  readonly contextValues: ContextValues | undefined;
}

/** A call as its kind sees it. */
export interface CallOfKind {
  readonly calls: CallContext;
  readonly plan: MethodPlan;
  readonly init: OutgoingCallInit;
  readonly startedAtMs: number;
  /** The latest attempt, or the one that the call has committed to. */
  readonly attempt: Attempt;
  /** Undefined as long as there is one attempt. */
  readonly repetition: RetryController | undefined;
  readonly isCommitted: boolean;
  readonly isOver: boolean;
  /** Whatever other attempts do is of no interest any more. */
  commit(attempt: Attempt): void;
  /** Ends the call from this side. */
  cancel(error: ConnectError): void;
}

/**
 * What the kinds of calls have of their own: where requests come from, and what becomes of responses. One for each call. Methods that a kind does
 * not have are not called for it.
 */
export interface CallKind {
  /** Called once, before anything else. */
  attach(call: CallOfKind): void;
  /** The attempt is on its connection: sends what there is of the request. */
  sendRequests(attempt: Attempt): void;
  /** The call is over. */
  settle(error: ConnectError | undefined): void;
  /** Another attempt begins. */
  prepareAttempt?(attempt: Attempt): void;
  /** The response of the attempt that the call has committed to begins. */
  onHead?(attempt: Attempt): void;
  /** A response message, of a call without a response queue. */
  onMessage?(message: object | Promise<object>): void;
  /** The attempt's stream has room again. */
  onWritable?(attempt: Attempt): void;
  /** The responses of this attempt are the call's. */
  onCommit?(attempt: Attempt): void;
  /** Nothing is sent a second time from here on. */
  forgetRequests?(): void;
  /** Whether the requests so far may be sent again. Without this method they are counted as what the first attempt has sent. */
  canRepeat?(): boolean;
}
