import type { Clock } from "../time/clock.ts";

/** A round trip that fills this much of the window was probably held up by it. */
const filledShare = 2 / 3;

/** What is counted in one round trip is doubled, so that a link of any length is filled after a few of them. */
const growthFactor = 2;

/** The first time more, because a round trip passes before a larger window shows, and until then the link is almost idle. */
const firstGrowthFactor = 4;

/**
 * A measurement begins when this share of the window has come since the last: four small frames for a window of data. It has to
 * leave so much of the window that the rest can fill `filledShare` before the peer stops for our credit.
 */
const measuredShare = 1 / 4;

/** The first round trips are averaged; from then on the newest counts most, because queues on the way come and go. */
const averagedRoundTrips = 10;
const newestWeight = 0.9;

/** Bytes by which the windows of several connections may grow together; each connection returns what it took. */
export class GrowthAllowance {
  private left: number;

  constructor(bytes: number) {
    this.left = bytes;
  }

  /** Takes `bytes`; false, and nothing is taken, when fewer are left. */
  take(bytes: number): boolean {
    if (bytes > this.left) return false;
    this.left -= bytes;
    return true;
  }

  give(bytes: number): void {
    this.left += bytes;
  }
}

/**
 * How large the receive windows of a connection have to be for its peer never to wait for them: as much as arrives in one
 * round trip, the bandwidth-delay product. The round trip is that of a PING between data, which peers do not count as too many.
 *
 * It grows while three things are true: a round trip brought two thirds of a window, the link was never faster (otherwise
 * only a queue has become longer), and at least half of the window has been used up (otherwise the peer waits for
 * our application and would only fill our memory). It never shrinks.
 */
export class WindowGrowth {
  /** The window that the peer has been given. */
  windowBytes: number;
  private readonly maxBytes: number;
  private readonly allowance: GrowthAllowance;
  private grownBytes = 0;
  /** Bytes since the measurement before this one, or since this one began. */
  private bytes = 0;
  private isMeasuring = false;
  /** Nothing is known of the link yet. */
  private isFirst = true;
  private sentAtMs = 0;
  private roundTrips = 0;
  private roundTripMs = 0;
  private mostBytesPerMs = 0;

  constructor(windowBytes: number, maxBytes: number, allowance: GrowthAllowance) {
    this.windowBytes = windowBytes;
    this.maxBytes = maxBytes;
    this.allowance = allowance;
  }

  /**
   * Counts received data. "measure": start measuring a round trip, with a PING; call `answered` for its acknowledgement.
   * "filled": the first PING is not acknowledged yet, but so much data came before that the result is already known.
   */
  received(bytes: number, clock: Pick<Clock, "nowMs">): "measure" | "filled" | undefined {
    this.bytes += bytes;
    if (this.isMeasuring) {
      if (!this.isFirst || this.bytes < this.windowBytes * filledShare) return undefined;
      this.isFirst = false;
      return "filled";
    }
    if (this.bytes < this.windowBytes * measuredShare || this.windowBytes >= this.maxBytes) return undefined;
    this.isMeasuring = true;
    this.bytes = 0;
    this.sentAtMs = clock.nowMs();
    return "measure";
  }

  /** `received` has said "filled". `heldBytes` of the window are not used up yet. Returns by how much the windows grow. */
  filled(heldBytes: number): number {
    return this.grow(firstGrowthFactor * this.windowBytes, heldBytes);
  }

  /** The PING was acknowledged. `heldBytes` of the window are not consumed yet. Returns by how much the windows grow, mostly 0. */
  answered(nowMs: number, heldBytes: number): number {
    const { bytes } = this;
    this.isMeasuring = false;
    this.isFirst = false;
    this.bytes = 0;
    const isFaster = this.isFastest(bytes, nowMs - this.sentAtMs);
    return isFaster && bytes >= this.windowBytes * filledShare ? this.grow(growthFactor * bytes, heldBytes) : 0;
  }

  private grow(wantedBytes: number, heldBytes: number): number {
    if (heldBytes * 2 > this.windowBytes) return 0;
    const growth = Math.min(wantedBytes, this.maxBytes) - this.windowBytes;
    if (growth <= 0 || !this.allowance.take(growth)) return 0;
    this.windowBytes += growth;
    this.grownBytes += growth;
    return growth;
  }

  /** The connection is gone. */
  end(): void {
    this.allowance.give(this.grownBytes);
    this.grownBytes = 0;
  }

  private isFastest(bytes: number, roundTripMs: number): boolean {
    this.roundTrips++;
    const weight = Math.max(1 / this.roundTrips, this.roundTrips > averagedRoundTrips ? newestWeight : 0);
    this.roundTripMs += (roundTripMs - this.roundTripMs) * weight;
    const bytesPerMs = bytes / this.roundTripMs;
    // Not `<=`: nothing in no time is not a number.
    if (!(bytesPerMs > this.mostBytesPerMs)) return false;
    this.mostBytesPerMs = bytesPerMs;
    return true;
  }
}
