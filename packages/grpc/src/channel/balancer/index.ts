// The contract between a channel and the policy that spreads its calls. A policy may hold others as children: towards a
// child it is the host.
import type { JsonObject } from "@bufbuild/protobuf";
import type { ConnectError } from "@connectrpc/connect";
import type { Clock } from "../../time/clock.ts";
import type { Address } from "../../transport/client/client-connection.ts";
import type { Endpoint } from "../resolver/index.ts";
import type { CallOutcome } from "../subchannel/call-outcome.ts";
import type { ConnectivityState } from "../subchannel/connectivity.ts";
import type { HealthListener } from "../subchannel/health-watch.ts";
import type { Subchannel, SubchannelStateListener } from "../subchannel/index.ts";

export type { CallOutcome } from "../subchannel/call-outcome.ts";
export type { HealthListener, HealthReport } from "../subchannel/health-watch.ts";

/** What a picker may know of a call. */
export interface PickInfo {
  /** `/package.Service/Method`. */
  readonly methodPath: string;
  /** The request's metadata, for policies that hash by it. Not to be changed. */
  readonly header: Headers;
}

/**
 * Follows the calls that a picker sent to one subchannel, for policies that count or measure them. Neither method may
 * throw. Each attempt of a call counts as one.
 */
export interface CallTracker {
  /** The call was given to the connection. */
  onStart(): void;
  /** The call is over; exactly once for each `onStart`. */
  onEnd(outcome: CallOutcome): void;
}

/**
 * What becomes of a call:
 *
 * - `complete`: it goes to this subchannel. If that has lost its connection or is at its stream limit, the call waits.
 * - `queue`: it waits for the next picker.
 * - `fail`: it fails, or waits for the next picker if it waits for ready.
 * - `drop`: it fails even if it waits for ready.
 *
 * `createError` makes the error of one call: a fresh one each time, because callers add to theirs.
 */
export type PickResult =
  | { readonly kind: "complete"; readonly subchannel: Subchannel; readonly tracker?: CallTracker }
  | { readonly kind: "queue" }
  | { readonly kind: "fail"; readonly createError: () => ConnectError }
  | { readonly kind: "drop"; readonly createError: () => ConnectError };

/**
 * Chooses a subchannel for each call: a snapshot of the balancer's view, replaced as a whole by `updateState`.
 */
export interface Picker {
  /**
   * Whether two calls that are picked at the same moment can fare differently. If not, the first waiting call that finds no
   * place decides for all after it. If so, each waiting call is tried each time a stream ends, which costs time in
   * proportion to the queue.
   */
  readonly dependsOnCall: boolean;
  /**
   * Runs for every call, some more than once, so it must not block, throw or allocate. `info` is undefined where the caller
   * has none. It may make the balancer act (leave `idle`), and thereby replace this picker.
   */
  pick(info: PickInfo | undefined): PickResult;
  /** What a call that has to wait now is waiting for: half a sentence for the error of a deadline that passes while it waits. */
  describe(): string;
}

/** A server's load report (xds.data.orca.v3.OrcaLoadReport); 0 for a value that it does not report. */
export interface LoadReport {
  /** Share of the machine's processors in use; may exceed 1. */
  readonly cpuUtilization: number;
  /** The same in the application's own measure, which takes precedence over the processor's. */
  readonly applicationUtilization: number;
  /** Queries per second. */
  readonly rpsFractional: number;
  /** Errors per second. */
  readonly eps: number;
}

/** What a balancer is given to work with. Once the balancer is closed, all of it does nothing. */
export interface BalancerHost {
  /** The channel's target as the caller wrote it, for error messages. */
  readonly targetText: string;
  readonly clock: Clock;
  /** Creates a subchannel in `idle`. The caller shuts it down. */
  createSubchannel(address: Address, onState: SubchannelStateListener): Subchannel;
  /**
   * Sets the channel's state and picker together. Waiting calls are picked again before it returns. A balancer reports
   * `connecting` with a picker that queues, `transient_failure` with one that fails, and never `shutdown`. A picker whose
   * subchannels are all at their stream limits should look for one that is not.
   */
  updateState(state: ConnectivityState, picker: Picker): void;
  /**
   * Follows the health of a subchannel that is `ready` (gRFC A61, "Generic Health Reporting Mechanism"): what its server says
   * of itself (A17) and what policies above found out (A50). The listener is called with the current health before this returns, and
   * then each change until the returned function is called, which has to happen when the subchannel leaves `ready`.
   *
   * Undefined where no one has an opinion: every connected server is healthy then.
   */
  readonly watchHealth?: ((subchannel: Subchannel, listener: HealthListener) => () => void) | undefined;
  /**
   * Asks the server of a subchannel that is `ready` to report its load at least this often (gRFC A51, out of band), until the
   * returned function is called. A server that does not offer that stays silent. Undefined where reports cannot be requested.
   */
  readonly watchLoad?:
    | ((subchannel: Subchannel, intervalMs: number, listener: (report: LoadReport) => void) => () => void)
    | undefined;
  /** The endpoints may be out of date. May be called as often as one likes: the resolver limits itself. */
  requestResolution(): void;
}

export interface BalancerUpdate {
  /** All current endpoints, in the resolver's order. */
  readonly endpoints: readonly Endpoint[];
  /** What the factory's `parseConfig` made of the policy's config; undefined where the service config names none. */
  readonly config?: unknown;
}

/**
 * One policy at work in one channel. The channel reports `connecting` with a queueing picker until the balancer's first
 * `updateState`. Methods must not throw, and may call the host at any time.
 */
export interface Balancer {
  /**
   * New endpoints, also if nothing has changed. False says that they cannot be used (the list is empty, for instance), upon which the
   * resolver tries again; the balancer has then dropped what the endpoints before were.
   */
  update(update: BalancerUpdate): boolean;
  /** The resolver failed. A balancer that has endpoints ignores it; otherwise it fails calls with this reason. */
  onResolverError(error: ConnectError): void;
  /** Connect now if idle, without waiting for a call. */
  exitIdle(): void;
  /** Shuts all subchannels down. Called exactly once, and nothing after it. */
  close(): void;
}

/** Makes balancers of one policy. Holds no state of a channel. */
export interface BalancerFactory {
  /** As in the service config, such as `pick_first`. */
  readonly policyName: string;
  /**
   * Checks and reads the policy's config, as in `loadBalancingConfig` of the service config (gRFC A24). What it returns
   * comes back in `BalancerUpdate.config`.
   *
   * @throws TypeError that says which field is wrong and what it may be
   */
  parseConfig?(json: JsonObject): unknown;
  create(host: BalancerHost): Balancer;
}
