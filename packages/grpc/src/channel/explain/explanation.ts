import type { ConnectivityState } from "../subchannel/connectivity.ts";

/**
 * What a call was doing:
 *
 * - `resolve`: the target's name was being resolved.
 * - `connect`: no connection was ready.
 * - `pick`: connections were ready, but none had a place free or the balancer chose none.
 * - `send`: the request was held back by the peer's windows or the socket.
 * - `first byte`: the request was out, and nothing of a response had come.
 * - `receive`: the response had begun.
 * - `backoff`: an attempt had failed, and the pause before the next one was on.
 */
export type CallPhase = "resolve" | "connect" | "pick" | "send" | "first byte" | "receive" | "backoff";

export interface PhaseTime {
  readonly phase: CallPhase;
  readonly ms: number;
}

/** One try to make a call. */
export interface AttemptExplanation {
  /** The address it was sent to; absent when it never found a connection. */
  readonly endpoint?: string;
  /** gRPC's name, such as `UNAVAILABLE`. */
  readonly status: string;
  readonly message: string;
  /** From the call's start to the attempt's. */
  readonly startedAfterMs: number;
  /** Until a connection had a place for it. */
  readonly waitedMs: number;
  readonly durationMs: number;
}

/** An address that the balancer keeps a connection to, or tries to. */
export interface EndpointExplanation {
  readonly address: string;
  readonly state: ConnectivityState;
  readonly openCalls: number;
  /** Attempts to connect that have failed in a row. */
  readonly failedAttempts: number;
  readonly lastError?: string;
}

export interface ResolverExplanation {
  readonly scheme: string;
  /** Undefined before the first result. */
  readonly endpoints?: number;
  /** Age of that result. */
  readonly resolvedMsAgo?: number;
  /** Of the last resolution, if it failed or its service config was invalid. */
  readonly lastError?: string;
}

/** Why a call failed, and where its time went. Made of plain values, so it can be logged as JSON. */
export interface CallExplanation {
  readonly target: string;
  /** `/package.Service/Method` */
  readonly method: string;
  readonly status: string;
  /** What the call was doing when it ended. */
  readonly phase: CallPhase;
  readonly elapsedMs: number;
  readonly timeoutMs?: number;
  /** In order of time; they add up to `elapsedMs`. */
  readonly phases: readonly PhaseTime[];
  /** In order of their start; the last one is mostly the one whose error the caller got. */
  readonly attempts: readonly AttemptExplanation[];
  /** Why the call was not sent again; absent without a retry or hedging policy. */
  readonly notRepeated?: string;
  readonly state: ConnectivityState;
  readonly policy?: string;
  readonly resolver: ResolverExplanation;
  /** At most `maxExplainedEndpoints` of them. */
  readonly endpoints: readonly EndpointExplanation[];
  /** All of the above in one line. */
  readonly line: string;
}

/** The present state of a channel, made of plain values. */
export interface ChannelExplanation {
  readonly target: string;
  readonly state: ConnectivityState;
  /** The load balancing policy at work; absent in idle. */
  readonly policy?: string;
  readonly resolver: ResolverExplanation;
  readonly endpoints: readonly EndpointExplanation[];
  readonly calls: {
    readonly waiting: number;
    /** The waiting ones included. */
    readonly open: number;
    readonly started: number;
    readonly succeeded: number;
    readonly failed: number;
  };
  /** The latest errors of calls, newest first; equal ones in a row are counted. */
  readonly lastErrors: readonly {
    readonly status: string;
    readonly message: string;
    readonly count: number;
    readonly msAgo: number;
  }[];
  readonly line: string;
}

/** An explanation of ten thousand endpoints helps no one. */
export const maxExplainedEndpoints = 16;

/** Next to the errors and not on them: a handler that passes an error on must not send this to its own caller. */
const explanations = new WeakMap<object, CallExplanation>();

/** Keeps what is known of a failed call with its error. */
export function keepExplanation(error: object, explanation: CallExplanation): void {
  explanations.set(error, explanation);
}

/**
 * Why the call failed whose error this is: target, resolver, endpoints, attempts, and where the time went. Also works on an
 * error whose `cause` is one. Undefined for errors that come from no channel.
 */
export function explainError(error: unknown): CallExplanation | undefined {
  // Causes can be circular; no one nests them deeper than this.
  for (let depth = 0; depth < 8 && typeof error === "object" && error !== null; depth++) {
    const explanation = explanations.get(error);
    if (explanation !== undefined) return explanation;
    error = (error as { cause?: unknown }).cause;
  }
  return undefined;
}
