import { Setting } from "../../frame/settings.ts";
import { initialWindowBytes } from "../../stream/window.ts";
import type { FrameWriter } from "../frame-writer.ts";
import type { ConnectionLimits } from "../limits.ts";
import type { Role } from "../role.ts";

/** A stream's window while the connection has to choose which streams may send: what RFC 9113 §6.9.2 begins with. */
const tightWindowBytes = initialWindowBytes;

/** The SETTINGS that we have sent, and which of them the peer has acknowledged. */
export class OwnSettings {
  /** The receive window that streams have while none is held back. */
  private wideWindowBytes: number;
  /** The peer has acknowledged the first of them. */
  areAcknowledged = false;
  private readonly limits: ConnectionLimits;
  private readonly frames: FrameWriter;
  private unacknowledged = 0;
  /** Streams have small windows for a time: "announced" until the peer has acknowledged it, and may not send beyond. */
  private tight: "announced" | "acknowledged" | undefined = undefined;
  private acknowledgementsUntilTight = 0;

  constructor(limits: ConnectionLimits, frames: FrameWriter) {
    this.limits = limits;
    this.frames = frames;
    this.wideWindowBytes = limits.windows.streamBytes;
  }

  /** The receive window that a new stream has. */
  get streamWindowBytes(): number {
    return this.tight === "acknowledged" ? tightWindowBytes : this.wideWindowBytes;
  }

  /** What a new stream may receive: until the peer has acknowledged our window it may believe in the initial one (RFC 9113 §6.9.2). */
  get streamAllowanceBytes(): number {
    return this.areAcknowledged ? this.streamWindowBytes : Math.max(this.streamWindowBytes, initialWindowBytes);
  }

  /** The frames that a connection begins with. */
  announce(role: Role): void {
    const { limits } = this;
    const entries: [number, number][] = [];
    if (role === "server") entries.push([Setting.maxConcurrentStreams, limits.streams.maxConcurrent]);
    else entries.push([Setting.enablePush, 0]);
    if (limits.headers.tableBytes !== 4096) entries.push([Setting.headerTableSize, limits.headers.tableBytes]);
    if (limits.frames.maxBytes !== 16_384) entries.push([Setting.maxFrameSize, limits.frames.maxBytes]);
    entries.push([Setting.initialWindowSize, limits.windows.streamBytes]);
    entries.push([Setting.maxHeaderListSize, limits.headers.maxListBytes]);
    this.send(entries);
    const extra = limits.windows.connectionBytes - initialWindowBytes;
    if (extra > 0) this.frames.windowUpdate(0, extra);
  }

  /**
   * An acknowledgement has come: of the first frame, of the one that made windows small (see `tighten`), of another, or of none that
   * is open.
   */
  acknowledged(): "first" | "tight" | "later" | "none" {
    if (this.unacknowledged === 0) return "none";
    this.unacknowledged--;
    if (this.tight === "announced" && --this.acknowledgementsUntilTight === 0) {
      this.tight = "acknowledged";
      return "tight";
    }
    if (this.areAcknowledged) return "later";
    this.areAcknowledged = true;
    return "first";
  }

  /**
   * Tells the peer of a larger window for each stream. Returns by how much at most `wantedBytes` it grew: one stream never has more
   * than half of what all may hold, so that another finds room next to one that is not read.
   */
  growStreamWindow(wantedBytes: number): number {
    const most = Math.max(this.wideWindowBytes, Math.floor(this.limits.windows.maxBytes / 2));
    const growth = this.tight === undefined ? Math.min(wantedBytes, most - this.wideWindowBytes) : 0;
    if (growth === 0) return 0;
    this.wideWindowBytes += growth;
    // The peer adds the difference to the streams that are open, too (RFC 9113 §6.9.2).
    this.send([[Setting.initialWindowSize, this.wideWindowBytes]]);
    return growth;
  }

  /** By how much windows are smaller while they are tight. */
  get tightenedBytes(): number {
    return Math.max(0, this.wideWindowBytes - tightWindowBytes);
  }

  /** Asks the peer to take the windows of all streams back to a small size. In force once `acknowledged` says "tight". */
  tighten(): void {
    if (this.tight !== undefined || this.tightenedBytes === 0) return;
    this.tight = "announced";
    this.send([[Setting.initialWindowSize, tightWindowBytes]]);
    this.acknowledgementsUntilTight = this.unacknowledged;
  }

  /** Gives the windows their size again. False: they have it, or the peer has not even acknowledged the small one. */
  relax(): boolean {
    if (this.tight !== "acknowledged") return false;
    this.tight = undefined;
    this.send([[Setting.initialWindowSize, this.wideWindowBytes]]);
    return true;
  }

  private send(entries: readonly (readonly [number, number])[]): void {
    this.unacknowledged++;
    this.frames.settings(entries);
  }
}
