import { ErrorCode } from "../../errors/error-code.ts";
import { Http2Error, limitError } from "../../errors/http2-error.ts";
import type { LimitNotifier } from "../abuse/limit-notifier.ts";
import { OutputWatch } from "../abuse/output-watch.ts";
import type { ByteChannel } from "../byte-channel.ts";
import type { OutputHolder, SharedOutput } from "../flow/shared-output.ts";
import type { FrameWriter } from "../frame-writer.ts";
import type { Http2Connection } from "../http2-connection.ts";
import type { Inbound } from "../inbound.ts";
import type { ConnectionLimits } from "../limits.ts";
import type { Outbound } from "../outbound.ts";
import type { OwnSettings } from "../settings/own-settings.ts";
import type { PeerSettings } from "../settings/peer-settings.ts";
import type { StreamRegistry } from "../streams/stream-registry.ts";
import type { StreamTable } from "../streams/stream-table.ts";
import type { Activity } from "./activity.ts";
import type { ConnectionTimers } from "./connection-timers.ts";
import type { KeepaliveTimer } from "./keepalive.ts";
import type { Pings } from "./pings.ts";

/** How a connection ends that has had its time. */
export interface EndedByTime extends Pick<Http2Connection, "drain" | "close"> {
  /** Ends it for the peer's fault, which is sent to the peer. */
  fail(error: Http2Error): void;
  /** As `fail`, for a peer that does not read or respond. */
  abandon(error: Http2Error): void;
}

export interface TimeLimitsParts {
  readonly limits: ConnectionLimits;
  readonly phases: ConnectionTimers;
  /** Undefined without the option `keepalive`. */
  readonly keepalive: KeepaliveTimer | undefined;
  readonly socket: ByteChannel;
  readonly streams: StreamTable;
  readonly inbound: Inbound;
  readonly frames: FrameWriter;
  readonly outbound: Outbound;
  readonly peerSettings: PeerSettings;
  readonly ownSettings: OwnSettings;
  readonly sharedOutput: SharedOutput;
  readonly pings: Pings;
  readonly activity: Activity;
  readonly limitNotifier: LimitNotifier;
  readonly registry: Pick<StreamRegistry, "resetStream">;
  readonly connection: EndedByTime;
}

/** What becomes of a connection because time has passed: it has taken too long, or idled, or is old, or says nothing any more. */
export class TimeLimits implements OutputHolder {
  private readonly parts: TimeLimitsParts;
  /** Undefined while nothing waits to be sent. */
  private outputWatch: OutputWatch | undefined = undefined;

  constructor(parts: TimeLimitsParts) {
    this.parts = parts;
  }

  enforce(nowMs: number): void {
    const { phases, socket, streams, inbound, frames, peerSettings, ownSettings, connection } = this.parts;
    const settingsReceived = peerSettings.received;
    const overdue = phases.overdue(nowMs, settingsReceived, ownSettings.areAcknowledged, inbound.headersSinceMs);
    if (overdue !== undefined) {
      connection.fail(overdue);
    } else if (phases.isStalled(nowMs, frames.handedBytes, socket.writableLength)) {
      connection.abandon(limitError("write_stall", ErrorCode.internalError, "the peer stopped reading"));
    } else if (this.isOutputStalled(nowMs)) {
      connection.abandon(
        limitError("output_stall", ErrorCode.internalError, "the peer takes too little of what waits"),
      );
    } else if (phases.isIdle(nowMs, streams.slots)) {
      connection.drain("max_idle");
    } else if (phases.isGraceOver(nowMs)) {
      connection.close(ErrorCode.noError, "max_age");
    } else if (phases.isTooOld(nowMs)) {
      connection.drain("max_age");
    } else {
      this.resetStalledStreams(nowMs);
      this.keepAlive(nowMs);
    }
  }

  /** The connection is gone. */
  end(): void {
    this.outputWatch?.end();
    this.outputWatch = undefined;
  }

  giveUpOutput(): void {
    const message = "too much waits on all connections, and the peer takes too little";
    this.parts.connection.abandon(limitError("output_stall", ErrorCode.internalError, message));
  }

  private isOutputStalled(nowMs: number): boolean {
    const { outbound, frames, limits, sharedOutput } = this.parts;
    const bytes = outbound.waitingBytes + frames.unsentBytes;
    if (bytes === 0) {
      this.end();
      return false;
    }
    this.outputWatch ??= new OutputWatch(this, frames, limits.output, sharedOutput);
    return this.outputWatch.isStalled(nowMs, bytes);
  }

  private resetStalledStreams(nowMs: number): void {
    const { limits, outbound, limitNotifier, registry } = this.parts;
    const limitMs = limits.streams.stallTimeoutMs;
    if (limitMs === 0) return;
    for (const stream of outbound.stalledStreams(nowMs, limitMs)) {
      limitNotifier.notify("stream_stall", "reset", stream.id, "the peer did not open its window");
      const error = { scope: "stream", blame: "peer", code: ErrorCode.cancel } as const;
      registry.resetStream(stream, new Http2Error("the peer did not open its window", error));
    }
  }

  /** The first stream after a silence that was too long for a connection with streams. */
  wake(nowMs: number): void {
    const { keepalive } = this.parts;
    if (keepalive?.wakes(nowMs) === true) this.sendKeepalive(keepalive);
  }

  private sendKeepalive(keepalive: KeepaliveTimer): void {
    const { activity, pings } = this.parts;
    activity.keepalivesSent++;
    pings.send(() => keepalive.answered());
  }

  private keepAlive(nowMs: number): void {
    const { keepalive, streams, connection } = this.parts;
    if (keepalive === undefined) return;
    const step = keepalive.step(nowMs, streams.size > 0);
    if (step === "ping") {
      this.sendKeepalive(keepalive);
    } else if (step === "dead") {
      connection.abandon(new Http2Error("keepalive ping timed out", { scope: "connection", blame: "peer" }));
    }
  }
}
