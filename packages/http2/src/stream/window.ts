import { maxUint31 } from "../frame/frame-header.ts";

/** RFC 9113 §6.9.2: what every window starts at until a SETTINGS frame says otherwise. */
export const initialWindowBytes = 65_535;

/** A window over this is its sender's error (§6.9.1). */
export const maxWindowBytes = maxUint31;

/**
 * What we may still send. It may be negative: with 10,000 bytes sent of 16,384, a SETTINGS_INITIAL_WINDOW_SIZE of 4,096
 * shifts the window from 6,384 to -5,904, and nothing may be sent until updates bring it above zero (§6.9.2).
 */
export class SendWindow {
  available: number;

  constructor(bytes: number) {
    this.available = bytes;
  }

  take(bytes: number): void {
    this.available -= bytes;
  }

  /** A WINDOW_UPDATE, or the difference a new initial window makes. False: over 2^31-1, which is the peer's error. */
  shift(bytes: number): boolean {
    const next = this.available + bytes;
    if (next > maxWindowBytes) return false;
    this.available = next;
    return true;
  }
}

/**
 * Credit is given at the latest for this much. A large window is large because the link is long, and a receiver that waits for half of it
 * lets the link run dry for half a round trip.
 */
const maxUnreturnedBytes = 262_144;

/**
 * Whether what has been used up of a window of `size` is given back now: at half the window, or 256 KiB, which keeps the peer sending and costs
 * few frames.
 */
export function isCreditDue(unreturnedBytes: number, size: number): boolean {
  return unreturnedBytes * 2 >= size || unreturnedBytes >= maxUnreturnedBytes;
}

/** What the peer may still send, and what of it has been used up but not given back yet. */
export class ReceiveWindow {
  /** Grows only by `grow`. */
  size: number;
  private available: number;
  private unreturned = 0;

  /**
   * `allowance` is what may come at first. It is over `size` while the peer may not have read how small the window is;
   * credit is given at the half of `size` all the same, because the peer stops at `size` once it has.
   */
  constructor(size: number, allowance: number = size) {
    this.available = allowance;
    this.size = size;
  }

  /** What the peer may still send. */
  get availableBytes(): number {
    return this.available;
  }

  /** Received bytes that are not consumed yet. */
  get heldBytes(): number {
    return this.size - this.available - this.unreturned;
  }

  /** The peer learns by other means that it may send `bytes` more. */
  grow(bytes: number): void {
    this.size += bytes;
    this.available += bytes;
  }

  /** Counts received bytes, padding included. False: the peer sent more than it was allowed. */
  receive(bytes: number): boolean {
    this.available -= bytes;
    return this.available >= 0;
  }

  /** Gives back what has been used up. Returns the increment to announce now, or 0. */
  release(bytes: number): number {
    this.unreturned += bytes;
    if (!isCreditDue(this.unreturned, this.size)) return 0;
    const increment = this.unreturned;
    this.unreturned = 0;
    this.available += increment;
    return increment;
  }
}
