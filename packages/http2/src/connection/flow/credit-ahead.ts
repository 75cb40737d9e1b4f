import type { GrowthAllowance } from "./window-growth.ts";

/**
 * Credit that the connection's window gets for data before anybody has used it up. Without it one stream that is not read
 * would, with its own full window, take the whole connection's, and every other call would wait for that one reader.
 */
export class CreditAhead {
  private octets = 0;
  private readonly allowance: GrowthAllowance;
  private ended = false;

  constructor(allowance: GrowthAllowance) {
    this.allowance = allowance;
  }

  /** Data for which credit was given, and that is not used up. */
  get heldBytes(): number {
    return this.octets;
  }

  /** Data came. True: it gets its credit now. `maxBytes` may be held like this, and what others leave of the allowance. */
  give(octets: number, maxBytes: number): boolean {
    if (this.ended || this.octets + octets > maxBytes || !this.allowance.take(octets)) return false;
    this.octets += octets;
    return true;
  }

  /** Data was used up, whichever it was. Returns for how much of it credit is still due. */
  repay(octets: number): number {
    const repaid = Math.min(octets, this.octets);
    this.octets -= repaid;
    this.allowance.give(repaid);
    return octets - repaid;
  }

  /** The connection is gone, and with it the peer that could send more. */
  end(): void {
    this.ended = true;
    this.repay(this.octets);
  }
}
