import { ErrorCode } from "../errors/error-code.ts";
import { connectionError, limitError, streamError } from "../errors/http2-error.ts";
import { Flag } from "../frame/frame-type.ts";
import type { Goaway } from "../frame/goaway.ts";
import { goawayFixedBytes, readGoaway } from "../frame/goaway.ts";
import { pingBytes, pingNumber } from "../frame/ping.ts";
import { priorityBytes, priorityDependency } from "../frame/priority.ts";
import { readSettings, settingsEntryBytes, settingsPayloadError } from "../frame/settings.ts";
import type { Budgets } from "./abuse/budgets.ts";
import type { ControlFrameGuard } from "./abuse/control-frame-guard.ts";
import { PingPolicy } from "./abuse/ping-policy.ts";
import type { MessageMemory } from "./flow/message-memory.ts";
import type { FrameWriter } from "./frame-writer.ts";
import type { ConnectionLimits } from "./limits.ts";
import type { Outbound } from "./outbound.ts";
import type { OwnSettings } from "./settings/own-settings.ts";
import type { PeerSettings } from "./settings/peer-settings.ts";
import type { StreamTable } from "./streams/stream-table.ts";
import type { Clock } from "./time/clock.ts";
import type { Pings } from "./time/pings.ts";

export interface ControlFramesOwner {
  /** The peer's SETTINGS have come: the first, or others that may allow more. */
  settingsReceived(isFirst: boolean): void;
  /** The peer has acknowledged the size of the table that it may use. */
  tableAcknowledged(): void;
  goawayReceived(goaway: Goaway): void;
}

export interface ControlFramesParts {
  readonly clock: Clock;
  readonly limits: ConnectionLimits;
  readonly frames: FrameWriter;
  readonly outbound: Outbound;
  readonly streams: StreamTable;
  readonly budgets: Budgets;
  readonly guard: ControlFrameGuard;
  readonly peerSettings: PeerSettings;
  readonly ownSettings: OwnSettings;
  readonly pings: Pings;
  readonly memory: MessageMemory;
  readonly connection: ControlFramesOwner;
}

/** The frames that concern the connection, and PRIORITY: one method per type (RFC 9113 §6), each throwing what the peer did wrong. */
export class ControlFrames {
  private readonly parts: ControlFramesParts;
  private readonly pingPolicy: PingPolicy;

  constructor(parts: ControlFramesParts) {
    this.parts = parts;
    this.pingPolicy = new PingPolicy(parts.limits);
  }

  settings(flags: number, bytes: Uint8Array, start: number, end: number): void {
    const { limits, frames, peerSettings } = this.parts;
    const ack = (flags & Flag.ack) !== 0;
    const wrong = settingsPayloadError(end - start, ack, limits.controlFrames.maxSettingsEntries);
    if (wrong !== undefined) {
      if (end - start <= limits.controlFrames.maxSettingsEntries * settingsEntryBytes) {
        throw connectionError(ErrorCode.frameSizeError, wrong);
      }
      throw limitError("settings_entries", ErrorCode.frameSizeError, wrong);
    }
    if (ack) {
      this.settingsAcknowledged();
      return;
    }
    readSettings(bytes, start, end, (setting, value) => peerSettings.apply(setting, value));
    frames.settingsAck();
    this.settingsReceived();
  }

  ping(flags: number, bytes: Uint8Array, start: number, end: number): void {
    const { clock, frames, streams, guard, pings } = this.parts;
    if (end - start !== pingBytes) {
      throw connectionError(ErrorCode.frameSizeError, `a PING frame has ${end - start} bytes, not ${pingBytes}`);
    }
    if ((flags & Flag.ack) !== 0) {
      pings.acknowledged(pingNumber(bytes, start));
      return;
    }
    frames.pingAck(bytes, start);
    this.pingPolicy.received(clock.nowMs(), streams.size > 0, frames.data.frames + frames.headerBlocks);
    guard.answered();
  }

  goaway(bytes: Uint8Array, start: number, end: number): void {
    if (end - start < goawayFixedBytes) throw connectionError(ErrorCode.frameSizeError, "a GOAWAY frame is too short");
    this.parts.connection.goawayReceived(readGoaway(bytes, start, end));
  }

  priority(streamId: number, bytes: Uint8Array, start: number, end: number): void {
    const { budgets, streams } = this.parts;
    budgets.glitch();
    // §6.4: a stream that no one has opened cannot be reset.
    const errorHere = streams.isIdle(streamId) ? connectionError : streamError;
    if (end - start !== priorityBytes) {
      throw errorHere(ErrorCode.frameSizeError, `a PRIORITY frame has ${end - start} bytes, not ${priorityBytes}`);
    }
    if (priorityDependency(bytes, start) === streamId) {
      throw errorHere(ErrorCode.protocolError, `stream ${streamId} depends on itself`);
    }
  }

  private settingsReceived(): void {
    const { budgets, guard, outbound, peerSettings, connection } = this.parts;
    guard.answered();
    outbound.resume();
    const isFirst = !peerSettings.received;
    // Counted, because each one costs an acknowledgement and a walk over the streams (CVE-2019-9515).
    if (!isFirst) budgets.glitch();
    peerSettings.received = true;
    connection.settingsReceived(isFirst);
  }

  private settingsAcknowledged(): void {
    const { budgets, memory, ownSettings, connection } = this.parts;
    const which = ownSettings.acknowledged();
    if (which === "none") budgets.glitch();
    else if (which === "first") connection.tableAcknowledged();
    else if (which === "tight") memory.tightened();
  }
}
