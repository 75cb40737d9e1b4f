import { ErrorCode } from "../../errors/error-code.ts";
import { connectionError } from "../../errors/http2-error.ts";
import { ReceiveWindow } from "../../stream/window.ts";
import { SmallDataBudget } from "../abuse/small-data.ts";
import type { FrameWriter } from "../frame-writer.ts";
import type { ConnectionLimits } from "../limits.ts";
import { CreditAhead } from "./credit-ahead.ts";
import type { GrowthAllowance } from "./window-growth.ts";

/** What the peer may send on all streams together, and the credit for received data, in WINDOW_UPDATE frames of stream 0. */
export class ConnectionCredit {
  readonly window: ReceiveWindow;
  readonly smallData = new SmallDataBudget();
  private readonly ahead: CreditAhead;
  private readonly frames: FrameWriter;
  private readonly limits: ConnectionLimits;
  /** More than usual may be held with credit ahead, see `giveAhead`. */
  private extraAheadBytes = 0;

  constructor(frames: FrameWriter, limits: ConnectionLimits, allowance: GrowthAllowance) {
    this.frames = frames;
    this.limits = limits;
    this.window = new ReceiveWindow(limits.windows.connectionBytes);
    this.ahead = new CreditAhead(allowance);
  }

  /** Counts DATA, padding included. Throws when it was more than the peer had credit for. */
  receive(payloadBytes: number): void {
    if (this.window.receive(payloadBytes)) return;
    throw connectionError(ErrorCode.flowControlError, "DATA went over the connection's window");
  }

  /** DATA goes to a stream. It gets its credit now where that may be given ahead, so that one reader does not hold up the others. */
  delivered(payloadBytes: number): void {
    if (this.ahead.give(payloadBytes, this.maxAheadBytes)) this.returnCredit(payloadBytes);
  }

  /** Bytes have been consumed, or never will be. */
  release(payloadBytes: number): void {
    const due = this.ahead.repay(payloadBytes);
    if (due > 0) this.returnCredit(due);
  }

  /** Bytes of all streams that are not consumed. */
  get heldBytes(): number {
    return this.window.heldBytes + this.ahead.heldBytes;
  }

  /** Lets the peer send `bytes` more from now on. */
  grow(bytes: number): void {
    this.window.grow(bytes);
    this.frames.windowUpdate(0, bytes);
  }

  /**
   * What is held gets the connection's credit now, and so does what streams with small windows can send: those that wait for credit of
   * their own must not keep the connection's from those that have it.
   */
  giveAhead(streamWindowBytes: number): void {
    const held = this.window.heldBytes;
    this.extraAheadBytes = this.heldBytes + this.limits.streams.maxConcurrent * streamWindowBytes;
    if (held > 0 && this.ahead.give(held, this.maxAheadBytes)) this.returnCredit(held);
  }

  /** From now on credit ahead is bounded as usual. */
  endAhead(): void {
    this.extraAheadBytes = 0;
  }

  /** The connection is gone. */
  end(): void {
    this.ahead.end();
  }

  private get maxAheadBytes(): number {
    return Math.max(0, this.limits.windows.maxBytes - this.window.size) + this.extraAheadBytes;
  }

  private returnCredit(payloadBytes: number): void {
    const increment = this.window.release(payloadBytes);
    if (increment > 0) this.frames.windowUpdate(0, increment);
  }
}
