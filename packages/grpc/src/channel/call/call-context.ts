import type { Interceptor } from "@connectrpc/connect";
import type { OnAttempt } from "../../hooks/attempt-observer.ts";
import type { OnDropped } from "../../protocol/metadata.ts";
import type { Clock } from "../../time/clock.ts";
import type { DeadlineWheel } from "../../time/deadline-wheel.ts";
import type { TurnShare } from "../../time/turn-share.ts";
import type { ChannelCore } from "../core/channel-core.ts";
import type { ReplayBudget } from "../retry/replay-budget.ts";
import type { MethodPlans } from "./method-plans.ts";

/** What every call of a channel needs. */
export interface CallContext {
  readonly core: ChannelCore;
  readonly plans: MethodPlans;
  readonly replayBudget: ReplayBudget;
  readonly deadlines: DeadlineWheel;
  readonly sendShare: TurnShare;
  readonly receiveShare: TurnShare;
  readonly interceptors: readonly Interceptor[];
  /** The interceptors that observe attempts. */
  readonly onAttempt: readonly OnAttempt[] | undefined;
  /** As a URI, for interceptors and observers. */
  readonly target: string;
  readonly defaultTimeoutMs: number | undefined;
  /** Undefined leaves it to the service config. */
  readonly waitForReady: boolean | undefined;
  readonly maxConcurrentCalls: number;
  /** `http://authority`, for interceptors that read a call's URL. */
  readonly baseUrl: string;
  readonly clock: Clock;
  /** From 0 up to 1, for the pauses before retries. */
  readonly random: () => number;
  /** Told of metadata that gRPC writes itself and an application must not. */
  readonly onDropped: OnDropped;
}
