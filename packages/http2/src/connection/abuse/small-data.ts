import { ErrorCode } from "../../errors/error-code.ts";
import { limitError } from "../../errors/http2-error.ts";

/**
 * DATA frames with less content than this cost something. Honest writers send few of them: the smallest unit that protocols
 * over HTTP/2 write in number is a prefix of five bytes, which costs 2.
 */
const smallDataBytes = 7;

/** A budget never falls below this, however small the window is. */
const minBudget = 25_600;

/** What a DATA frame costs as long as its content has not been used up; nothing when it ends its stream. */
export function smallDataCost(contentBytes: number, endStream: boolean): number {
  return endStream || contentBytes === 0 || contentBytes >= smallDataBytes ? 0 : smallDataBytes - contentBytes;
}

/**
 * Bounds how finely a peer may cut what waits to be used up (RUSTSEC-2026-0258, CVE-2026-84304). The budget is half the
 * connection's window: a window full of five-byte frames, which a slow reader of tiny messages may have, costs two fifths
 * of it, and one full of single bytes six times as much as there is. What is used up is given back.
 */
export class SmallDataBudget {
  private spent = 0;

  /** Throws a connection error when the peer has gone too far. `windowBytes` is the connection's window as it is now. */
  spend(cost: number, windowBytes: number): void {
    this.spent += cost;
    if (this.spent > Math.max(minBudget, windowBytes / 2)) {
      throw limitError("small_data", ErrorCode.enhanceYourCalm, "too_many_small_data_frames");
    }
  }

  giveBack(cost: number): void {
    this.spent -= cost;
  }
}
