import type { Borrower, Loan } from "../../stream/loan.ts";
import { MessageCredit, type MessageCreditParts } from "./message-credit.ts";
import { MessageRooms, type RoomUser } from "./message-rooms.ts";

/** The memory of a connection's messages that are incomplete, or larger than the data received for them. Its parts are created for the first such message. */
export class MessageMemory {
  private readonly parts: MessageCreditParts;
  private credit: MessageCredit | undefined = undefined;
  private rooms: MessageRooms | undefined = undefined;
  private isGone = false;

  constructor(parts: MessageCreditParts) {
    this.parts = parts;
  }

  /** See `Stream.lend`. */
  lend(stream: Borrower, bytes: number): void {
    this.credit ??= new MessageCredit(this.parts);
    this.credit.unfinished.lend(stream, bytes);
  }

  /** See `Stream.messageComplete`. */
  complete(loan: Loan): void {
    this.credit?.unfinished.complete(loan);
  }

  /** Returns how many of the bytes have not been credited yet. */
  repay(loan: Loan, bytes: number): number {
    return this.credit === undefined ? 0 : this.credit.unfinished.repay(loan, bytes);
  }

  /** See `Stream.takeRoom`. */
  takeRoom(user: RoomUser, bytes: number): Promise<void> | undefined {
    if (this.isGone) return undefined;
    this.credit ??= new MessageCredit(this.parts);
    const { unfinished } = this.credit;
    this.rooms ??= new MessageRooms(unfinished, unfinished.shared, this.parts.clock);
    return this.rooms.take(user, bytes);
  }

  /** See `Stream.keepRoom`. */
  keepRoom(user: RoomUser, bytes: number): void {
    this.rooms?.keep(user, bytes);
  }

  /** See `Stream.leaveRoom`. */
  leaveRoom(user: RoomUser): void {
    this.rooms?.leave(user);
  }

  /** The stream is over, and no handler runs for it. */
  release(user: RoomUser): void {
    this.rooms?.release(user);
  }

  /** The peer has acknowledged small windows. */
  tightened(): void {
    this.credit?.tightened();
  }

  /** A tick. */
  enforce(nowMs: number): void {
    this.credit?.unfinished.enforce(nowMs, this.parts.limits.unfinishedMessages.timeoutMs);
    this.rooms?.enforce(nowMs);
  }

  /** The connection is gone. */
  end(): void {
    this.isGone = true;
    this.rooms?.end();
    this.credit?.unfinished.end();
  }
}
