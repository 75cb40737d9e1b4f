import type { Log } from "../../logging/log.ts";
import type { Clock } from "../../time/clock.ts";
import type { DeadlineWheel } from "../../time/deadline-wheel.ts";
import type { TurnShare } from "../../time/turn-share.ts";
import type { HttpExchange } from "./http-exchange.ts";
import type { ResponseHeads } from "./response-heads.ts";
import type { UnhandledCalls } from "./unhandled-calls.ts";

/** What all calls of a server share. */
export interface ServerCallSettings {
  /** Calls since the beginning, counted by the calls themselves. */
  readonly counts: { started: number; succeeded: number; failed: number };
  readonly responseHeads: ResponseHeads;
  readonly deadlines: DeadlineWheel;
  readonly sendShare: TurnShare;
  readonly receiveShare: TurnShare;
  readonly clock: Clock;
  readonly log: Log;
  /** Errors keep google.rpc.DebugInfo, and accidents get one. */
  readonly exposeDebugInfo: boolean;
  readonly unhandled: UnhandledCalls;
  /** Takes requests that are not gRPC. Undefined: they are refused. */
  readonly serveOther?: ((exchange: HttpExchange) => void) | undefined;
}
