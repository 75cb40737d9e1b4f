import type { GrowthAllowance } from "./window-growth.ts";

/**
 * Credit that the connection's window gets for data before the application has consumed it. Without it one stream that is not read
 * would, with its own full window, take the whole connection's, and every other call would wait for that one reader.
 */
export class CreditAhead {
  private bytes = 0;
  private readonly allowance: GrowthAllowance;
  private ended = false;

  constructor(allowance: GrowthAllowance) {
    this.allowance = allowance;
  }

  /** Data for which credit was given, and that is not used up. */
  get heldBytes(): number {
    return this.bytes;
  }

  /** Data was received. True: it gets its credit now. `maxBytes` may be held like this, and what others leave of the allowance. */
  give(bytes: number, maxBytes: number): boolean {
    if (this.ended || this.bytes + bytes > maxBytes || !this.allowance.take(bytes)) return false;
    this.bytes += bytes;
    return true;
  }

  /** Data was used up, whichever it was. Returns for how much of it credit is still due. */
  repay(bytes: number): number {
    const repaid = Math.min(bytes, this.bytes);
    this.bytes -= repaid;
    this.allowance.give(repaid);
    return bytes - repaid;
  }

  /** The connection is gone, and with it the peer that could send more. */
  end(): void {
    this.ended = true;
    this.repay(this.bytes);
  }
}
