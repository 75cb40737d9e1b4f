import { Setting } from "../frame/settings.ts";
import { initialWindowBytes } from "../stream/window.ts";
import type { ConnectionLimits } from "./limits.ts";
import type { Outbound } from "./outbound.ts";
import type { Role } from "./role.ts";

/** What the peer has been told by SETTINGS, and how much of it the peer is known to have read. */
export class OwnSettings {
  /** The receive window that a new stream has. */
  streamWindowBytes: number;
  /** The peer has acknowledged the first of them. */
  areAcknowledged = false;
  private readonly limits: ConnectionLimits;
  private readonly outbound: Outbound;
  private unacknowledged = 0;

  constructor(limits: ConnectionLimits, outbound: Outbound) {
    this.limits = limits;
    this.outbound = outbound;
    this.streamWindowBytes = limits.streamWindowBytes;
  }

  /** What a new stream may receive: until the peer has acknowledged our window it may believe in the initial one (RFC 9113 §6.9.2). */
  get streamAllowanceBytes(): number {
    return this.areAcknowledged ? this.streamWindowBytes : Math.max(this.streamWindowBytes, initialWindowBytes);
  }

  /** The frames that a connection begins with. */
  announce(role: Role): void {
    const { limits } = this;
    const entries: [number, number][] = [];
    if (role === "server") entries.push([Setting.maxConcurrentStreams, limits.maxConcurrentStreams]);
    else entries.push([Setting.enablePush, 0]);
    if (limits.headerTableBytes !== 4096) entries.push([Setting.headerTableSize, limits.headerTableBytes]);
    if (limits.maxFrameBytes !== 16_384) entries.push([Setting.maxFrameSize, limits.maxFrameBytes]);
    entries.push([Setting.initialWindowSize, limits.streamWindowBytes]);
    entries.push([Setting.maxHeaderListSize, limits.maxHeaderListBytes]);
    this.send(entries);
    const extra = limits.connectionWindowBytes - initialWindowBytes;
    if (extra > 0) this.outbound.windowUpdate(0, extra);
  }

  /** An acknowledgement has come: of the first frame, of a later one, or of none that is open. */
  acknowledged(): "first" | "later" | "none" {
    if (this.unacknowledged === 0) return "none";
    this.unacknowledged--;
    if (this.areAcknowledged) return "later";
    this.areAcknowledged = true;
    return "first";
  }

  /**
   * Tells the peer of a larger window for each stream. Returns by how much at most `wantedBytes` it grew: one stream never has more
   * than half of what all may hold, so that another finds room beside one that is not read.
   */
  growStreamWindow(wantedBytes: number): number {
    const most = Math.max(this.streamWindowBytes, Math.floor(this.limits.maxReceiveWindowBytes / 2));
    const growth = Math.min(wantedBytes, most - this.streamWindowBytes);
    if (growth === 0) return 0;
    this.streamWindowBytes += growth;
    // The peer adds the difference to the streams that are open, too (RFC 9113 §6.9.2).
    this.send([[Setting.initialWindowSize, this.streamWindowBytes]]);
    return growth;
  }

  private send(entries: readonly (readonly [number, number])[]): void {
    this.unacknowledged++;
    this.outbound.settings(entries);
  }
}
