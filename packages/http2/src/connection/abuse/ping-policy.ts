import { ErrorCode } from "../../errors/error-code.ts";
import { limitError } from "../../errors/http2-error.ts";
import type { ConnectionLimits } from "../limits.ts";

/** This many pings may come too early; the next one ends the connection. */
const maxStrikes = 2;

/**
 * How often a peer may ping us. Each ping costs an acknowledgement and keeps radios and idle machines awake, so
 * a connection with too many pings is closed. Sending data resets the count: peers measure the link by pings then.
 */
export class PingPolicy {
  private readonly limits: ConnectionLimits;
  private lastPingAtMs = Number.NEGATIVE_INFINITY;
  private strikes = 0;
  private dataFramesAtLastPing = 0;

  constructor(limits: ConnectionLimits) {
    this.limits = limits;
  }

  /** Throws when the peer has gone too far. `framesSent` counts the DATA and HEADERS frames that we have sent so far. */
  received(nowMs: number, hasStreams: boolean, framesSent: number): void {
    const { limits } = this;
    const minIntervalMs = hasStreams
      ? limits.controlFrames.minPingIntervalMs
      : limits.controlFrames.minIdlePingIntervalMs;
    if (minIntervalMs === 0) return;
    const isForgiven = framesSent !== this.dataFramesAtLastPing;
    const isTooEarly = nowMs - this.lastPingAtMs < minIntervalMs;
    this.lastPingAtMs = nowMs;
    this.dataFramesAtLastPing = framesSent;
    if (isForgiven) this.strikes = 0;
    else if (isTooEarly && ++this.strikes > maxStrikes) {
      throw limitError("pings", ErrorCode.enhanceYourCalm, "too_many_pings");
    }
  }
}
