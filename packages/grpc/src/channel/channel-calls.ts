import type { Interceptor } from "@connectrpc/connect";
import type { Clock } from "../call/clock.ts";
import type { OnDropped } from "../protocol/metadata.ts";
import type { ClientCallSettings } from "../transport/client-call.ts";
import type { RequestHeads } from "../transport/request-heads.ts";
import type { ChannelCore } from "./channel-core.ts";

/** What every call of a channel needs. */
export interface ChannelCalls {
  readonly core: ChannelCore;
  readonly settings: ClientCallSettings;
  readonly heads: RequestHeads;
  readonly interceptors: readonly Interceptor[];
  readonly defaultTimeoutMs: number | undefined;
  readonly waitForReady: boolean;
  /** `http://authority`, for interceptors that look at a call's URL. */
  readonly baseUrl: string;
  readonly clock: Clock;
  /** Told of metadata that gRPC writes itself and an application must not. */
  readonly onDropped: OnDropped;
}
