import { ErrorCode } from "../frame/error-code.ts";
import { Http2Error, limitError } from "../http2-error.ts";
import type { Activity } from "./activity.ts";
import type { ByteChannel } from "./byte-channel.ts";
import type { Drain } from "./drain.ts";
import type { Inbound } from "./inbound.ts";
import type { KeepaliveTimer } from "./keepalive.ts";
import type { LimitTeller } from "./limit-teller.ts";
import type { ConnectionLimits } from "./limits.ts";
import type { Outbound } from "./outbound.ts";
import type { OwnSettings } from "./own-settings.ts";
import type { PeerSettings } from "./peer-settings.ts";
import type { Phases } from "./phases.ts";
import type { Pings } from "./pings.ts";
import type { Shutdown } from "./shutdown.ts";
import type { StreamTable } from "./stream-table.ts";

export interface TimeLimitsParts {
  readonly limits: ConnectionLimits;
  readonly phases: Phases;
  readonly keepalive: KeepaliveTimer;
  readonly socket: ByteChannel;
  readonly streams: StreamTable;
  readonly inbound: Inbound;
  readonly outbound: Outbound;
  readonly peerSettings: PeerSettings;
  readonly ownSettings: OwnSettings;
  readonly pings: Pings;
  readonly activity: Activity;
  readonly limitTeller: LimitTeller;
  readonly shutdown: Shutdown;
}

/** What becomes of a connection because time has passed: it has taken too long, or idled, or is old, or says nothing any more. */
export class TimeLimits {
  private readonly parts: TimeLimitsParts;
  private readonly draining: Drain;

  constructor(parts: TimeLimitsParts, draining: Drain) {
    this.parts = parts;
    this.draining = draining;
  }

  enforce(nowMs: number): void {
    const { phases, socket, streams, inbound, outbound, peerSettings, ownSettings, shutdown } = this.parts;
    const settingsReceived = peerSettings.haveCome;
    const overdue = phases.overdue(nowMs, settingsReceived, ownSettings.areAcknowledged, inbound.headersSinceMs);
    if (overdue !== undefined) {
      shutdown.fail(overdue, overdue.message);
    } else if (phases.isStalled(nowMs, outbound.handedBytes, socket.writableLength)) {
      shutdown.abandon(limitError("write_stall", ErrorCode.internalError, "the peer stopped reading"));
    } else if (phases.isIdle(nowMs, streams.slots)) {
      this.draining.begin("max_idle");
    } else if (phases.isGraceOver(nowMs)) {
      shutdown.close(ErrorCode.noError, "max_age");
    } else if (phases.isTooOld(nowMs)) {
      this.draining.begin("max_age");
    } else {
      this.resetStalledStreams(nowMs);
      this.keepAlive(nowMs);
    }
  }

  private resetStalledStreams(nowMs: number): void {
    const { limits, outbound, limitTeller } = this.parts;
    const limitMs = limits.streamStallTimeoutMs;
    if (limitMs === 0) return;
    for (const stream of outbound.stalledStreams(nowMs, limitMs)) {
      outbound.rstStream(stream.id, ErrorCode.cancel);
      limitTeller.tell("stream_stall", "reset", stream.id, "the peer gave no window");
      stream.abort(
        new Http2Error("the peer gave no window", { scope: "stream", blame: "peer", code: ErrorCode.cancel }),
      );
    }
  }

  private keepAlive(nowMs: number): void {
    const { keepalive, streams, activity, pings, shutdown } = this.parts;
    const step = keepalive.step(nowMs, streams.size > 0);
    if (step === "ping") {
      activity.keepalivesSent++;
      pings.send(() => keepalive.answered());
    } else if (step === "dead") {
      shutdown.abandon(new Http2Error("keepalive got no answer", { scope: "connection", blame: "peer" }));
    }
  }
}
