// The contract between a balancer and what connects to one address.
import type { Address, ClientConnection } from "../../transport/client-connection.ts";
import type { ConnectivityState } from "../connectivity.ts";

/**
 * One address and at most one connection that takes calls.
 *
 * ```text
 *          connect()            SETTINGS came
 *   idle ─────────► connecting ──────────────► ready
 *    ▲                  │ failed                 │ GOAWAY, closed, or identifiers used up
 *    │  pause is over   ▼                        │
 *    ├────────── transient_failure               │
 *    └───────────────────────────────────────────┘        any ── shutdown() ──► shutdown
 * ```
 *
 * It connects only when asked, once per request: who wants a new attempt asks again in `idle`.
 */
export interface Subchannel {
  readonly address: Address;
  readonly state: ConnectivityState;
  /** The connection for new calls; defined exactly in `ready`. */
  readonly connection: ClientConnection | undefined;
  /** Why the last attempt failed or the last connection was lost; undefined before, and from `ready` on. */
  readonly lastError: Error | undefined;
  /** Attempts that have failed in a row. 0 from `ready` on. */
  readonly failedAttempts: number;
  /** In `transient_failure` the time until `idle`, otherwise 0. */
  readonly nextAttemptInMs: number;
  /** Begins an attempt in `idle` and does nothing in any other state. */
  connect(): void;
  /**
   * Goes idle when the connection takes no more calls. GOAWAY and close are noticed without it, used up stream identifiers
   * are not: who finds that the connection cannot start a call asks here. Does nothing otherwise.
   */
  dropSpentConnection(): void;
  /** Gives up an attempt, lets the calls of the connection end, and reports nothing any more. May be repeated. */
  shutdown(): void;
}

/**
 * Hears each state after the subchannel has entered it, in order, `shutdown` excepted. Called from within `connect` too. It
 * may call any method of the subchannel and must not throw.
 */
export type SubchannelStateListener = (state: ConnectivityState) => void;
