import type { Borrower, Loan } from "../../stream/loan.ts";
import type { Clock } from "../time/clock.ts";

/**
 * What an unfinished message must bring in each period, or be complete. Counted in bytes, so that single ones do not keep it alive; a
 * kilobyte a second is less than any link that messages of this size are sent over.
 */
const minProgressBytes = 10_240;

/** What waits for room in the budget. */
export interface RoomWaiter {
  /** There may be room, or another may be the first. */
  grantWaiting(): void;
}

/** A budget that the connections of a server share. */
export class SharedUnfinished {
  /** Connections with messages that are not complete, first the one that has been so for longest. */
  readonly open = new Set<UnfinishedMessages>();
  /** Connections whose streams wait for credit, or for room. */
  readonly waiting = new Set<RoomWaiter>();
  private left: number;

  constructor(bytes: number) {
    this.left = bytes;
  }

  hasRoom(bytes: number): boolean {
    return bytes <= this.left;
  }

  take(bytes: number): void {
    this.left -= bytes;
  }

  give(bytes: number): void {
    this.left += bytes;
    this.grantWaiting();
  }

  /** There may be room, or another connection may be the first. */
  grantWaiting(): void {
    if (this.waiting.size > 0) for (const waiter of [...this.waiting]) waiter.grantWaiting();
  }
}

/** What the budget needs of its connection. */
export interface UnfinishedOwner {
  /** Something waits for credit: the windows of all streams become small, so that what comes is for those that have credit. */
  tighten(): void;
  /** Nothing waits, and there is much room. */
  relax(): void;
  /** The stream's message made no progress although others wait for what it holds. */
  stalled(stream: Borrower): void;
}

/**
 * Bounds what a peer can make us hold of messages that are not complete. A message may be larger than its stream's window, so credit has to
 * be given for parts of it while they are held, and each stream may have such a message. Up to `maxBytes` for the connection, and up to
 * what others leave of the shared budget, credit is given at once; beyond, streams wait for it in the order in which they began to borrow.
 *
 * So large messages are received one after the other instead of all at once, and none fails. The first always gets its credit, however
 * large its message is: it is what makes room for others. For that it has to make progress while others wait.
 */
export class UnfinishedMessages implements RoomWaiter {
  private readonly maxBytes: number;
  readonly shared: SharedUnfinished;
  private readonly owner: UnfinishedOwner;
  private readonly clock: Clock;
  /** Loans for messages that are not complete, oldest first. */
  private readonly open = new Set<Loan>();
  /** Bytes that are lent, and those of messages that are larger than the data received for them; see `MessageRooms`. */
  private heldBytes = 0;
  /** Of these, bytes of complete messages that the application has not taken. */
  private completeBytes = 0;
  private isTight = false;

  constructor(maxBytes: number, shared: SharedUnfinished, owner: UnfinishedOwner, clock: Clock) {
    this.maxBytes = maxBytes;
    this.shared = shared;
    this.owner = owner;
    this.clock = clock;
  }

  /** Whether streams wait for credit, or did until a moment ago. */
  get isShort(): boolean {
    return this.isTight;
  }

  /** `bytes` of the stream's message are held, and more has to come. They get their credit now or later. */
  lend(stream: Borrower, bytes: number): void {
    const loan = this.openLoan(stream);
    if (loan.wanted === 0 && this.mayGrant(loan, bytes)) {
      this.grant(loan, bytes);
      return;
    }
    loan.wanted += bytes;
    this.shared.waiting.add(this);
    if (this.isTight) return;
    this.isTight = true;
    this.owner.tighten();
  }

  /** The message is complete: nothing more of it has to come. */
  complete(loan: Loan): void {
    if (loan.isComplete) return;
    loan.isComplete = true;
    this.completeBytes += loan.granted;
    this.leaveOpen(loan);
    this.shared.grantWaiting();
  }

  /** `bytes` that were lent are released. Returns how many of them have not been credited yet. */
  repay(loan: Loan, bytes: number): number {
    const ungranted = Math.min(bytes, loan.wanted);
    const granted = Math.min(bytes - ungranted, loan.granted);
    loan.wanted -= ungranted;
    loan.granted -= granted;
    if (loan.isComplete) this.completeBytes -= granted;
    if (loan.granted === 0 && loan.wanted === 0) {
      this.leaveOpen(loan);
      loan.stream.loan = undefined;
    }
    this.letGo(granted);
    return ungranted;
  }

  /** Gives those that wait their credit, in order, as far as there is room. */
  grantWaiting(): void {
    for (const loan of this.open) {
      if (loan.wanted === 0) continue;
      if (!this.mayGrant(loan, loan.wanted)) return;
      const { wanted } = loan;
      loan.wanted = 0;
      this.grant(loan, wanted);
    }
    this.shared.waiting.delete(this);
    this.relaxWhenFree();
  }

  /** Whether `bytes` more may be held without anything to wait for. */
  hasRoom(bytes: number): boolean {
    return this.shared.hasRoom(bytes) && this.heldBytes + bytes <= this.maxBytes;
  }

  hold(bytes: number): void {
    this.heldBytes += bytes;
    this.shared.take(bytes);
  }

  letGo(bytes: number): void {
    this.heldBytes -= bytes;
    this.shared.give(bytes);
    this.relaxWhenFree();
  }

  /** A tick: messages that make no progress give way to those that wait for what they hold. */
  enforce(nowMs: number, timeoutMs: number): void {
    const isAwaited = timeoutMs > 0 && this.shared.waiting.size > 0;
    for (const loan of this.open) {
      const hasProgress = loan.granted - loan.seenBytes >= minProgressBytes;
      // What waits for our credit cannot make progress.
      if (hasProgress || loan.wanted > 0 || !isAwaited) {
        loan.seenBytes = loan.granted;
        loan.sinceMs = nowMs;
      } else if (nowMs - loan.sinceMs >= timeoutMs) {
        this.owner.stalled(loan.stream);
      }
    }
  }

  /** The connection is gone. Its streams have repaid what they had. */
  end(): void {
    this.shared.open.delete(this);
    this.shared.waiting.delete(this);
    this.shared.grantWaiting();
  }

  private openLoan(stream: Borrower): Loan {
    let { loan } = stream;
    if (loan === undefined) {
      loan = { stream, granted: 0, wanted: 0, isComplete: true, seenBytes: 0, sinceMs: 0 };
      stream.loan = loan;
    }
    if (!loan.isComplete) return loan;
    this.completeBytes -= loan.granted;
    loan.isComplete = false;
    loan.seenBytes = loan.granted;
    loan.sinceMs = this.clock.nowMs();
    this.open.add(loan);
    this.shared.open.add(this);
    return loan;
  }

  private mayGrant(loan: Loan, bytes: number): boolean {
    if (this.hasRoom(bytes)) return true;
    // What the application does not take is held back as long as that takes.
    if (this.completeBytes >= this.maxBytes || firstOf(this.open) !== loan) return false;
    return this.shared.hasRoom(bytes) || firstOf(this.shared.open) === this;
  }

  private grant(loan: Loan, bytes: number): void {
    loan.granted += bytes;
    this.hold(bytes);
    loan.stream.consume(bytes);
  }

  private leaveOpen(loan: Loan): void {
    this.open.delete(loan);
    if (this.open.size === 0) this.shared.open.delete(this);
  }

  private relaxWhenFree(): void {
    if (!this.isTight || this.heldBytes > this.maxBytes / 2 || this.shared.waiting.has(this)) return;
    this.isTight = false;
    this.owner.relax();
  }
}

function firstOf<T>(set: ReadonlySet<T>): T | undefined {
  for (const first of set) return first;
  return undefined;
}
