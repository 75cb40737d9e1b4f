// The contract between a balancer and what connects to one address.
import type { Address, ClientConnection } from "../../transport/client/client-connection.ts";
import type { CallOutcome } from "./call-outcome.ts";
import type { ConnectivityState } from "./connectivity.ts";

/** Calls since the beginning; what is open is the rest. */
export interface CallCounts {
  started: number;
  succeeded: number;
  failed: number;
}

/**
 * One address and its connections: one, and further ones while the others have reached their stream limits (gRFC A105).
 *
 * ```text
 *          connect()            SETTINGS came
 *   idle ─────────► connecting ──────────────► ready
 *    ▲                  │ failed                 │ its last connection ended (GOAWAY, closed, identifiers used up)
 *    │  pause is over   ▼                        │
 *    ├────────── transient_failure               │
 *    └───────────────────────────────────────────┘        any ── shutdown() ──► shutdown
 * ```
 *
 * It connects only when `connect` is called, once per call: for a new attempt, call it again in `idle`. From `ready` it goes to
 * `connecting` if an attempt at a further connection is under way, and to `transient_failure` if such an attempt has failed
 * just before or if one connection after the other ended as soon as it stood.
 */
export interface Subchannel {
  readonly address: Address;
  /** Calls sent through it, each attempt counted by the code that sends it. Absent where nothing reads the counts. */
  readonly calls?: CallCounts;
  /**
   * Called with the outcome of each call that was sent to it, by whichever picker; must not throw. For policies that judge servers: they
   * set it, and call what was set before.
   */
  onCallEnd?: ((outcome: CallOutcome) => void) | undefined;
  readonly state: ConnectivityState;
  /**
   * The connection for the next call; defined exactly in `ready`. The oldest that has a place; if none has, the oldest.
   */
  readonly connection: ClientConnection | undefined;
  /** Every connection that is open, those included that only finish their calls; oldest first. Absent where no one looks. */
  readonly openConnections?: Iterable<ClientConnection>;
  /** Connections that take calls, though they may have no place free at the moment. */
  readonly connectionCount: number;
  /** Why the last attempt failed or the last connection was lost; undefined before, and in `ready`. */
  readonly lastError: Error | undefined;
  /** Attempts that have failed in a row. 0 after a success. */
  readonly failedAttempts: number;
  /** In `transient_failure` the time until `idle`, otherwise 0. */
  readonly nextAttemptInMs: number;
  /**
   * In `idle`: the server has ended the last connection by GOAWAY without an error, because of its age or while calls were
   * open, so that the next call will not be long in coming. Otherwise false.
   */
  readonly closedWhileActive: boolean;
  /** Begins an attempt in `idle` and does nothing in any other state. */
  connect(): void;
  /**
   * A call has found no place. Lets go of connections whose stream identifiers are used up, which no one else notices, and
   * begins a further connection if all are full and there may be one more. A call that waits is notified by `onCapacity`.
   */
  ensureCapacity(): void;
  /**
   * Calls the listener, until the returned function is called, whenever one of several connections has stopped taking calls or a
   * call may find a place that it did not find before: for streams that are bound to a connection. Absent where no one is bound.
   */
  watchConnections?(listener: () => void): () => void;
  /** Gives up attempts, lets the calls of the connections end, and reports nothing any more. May be repeated. */
  shutdown(): void;
}

/**
 * Hears each state after the subchannel has entered it, in order, `shutdown` excepted. Called from within `connect` too. It
 * may call any method of the subchannel and must not throw.
 */
export type SubchannelStateListener = (state: ConnectivityState) => void;
