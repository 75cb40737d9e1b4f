import { messagePrefixBytes } from "../../protocol/message-framing.ts";
import type { Payload } from "../../protocol/payload.ts";
import type { ReplayBudget } from "../retry/replay-budget.ts";

/** The requests of a stream that some attempt may still have to send, each with its number in the stream. */
export class SentRequests {
  private readonly budget: ReplayBudget;
  private kept: Payload[] = [];
  /** The number of the first one that is kept. */
  private first = 0;
  private reservedBytes = 0;

  constructor(budget: ReplayBudget) {
    this.budget = budget;
  }

  get isEmpty(): boolean {
    return this.kept.length === 0;
  }

  /** The number of the next request. */
  get end(): number {
    return this.first + this.kept.length;
  }

  get(number: number): Payload {
    return this.kept[number - this.first] as Payload;
  }

  add(request: Payload): void {
    this.kept.push(request);
  }

  /** A request was sent and need not be kept: the next one has this number. */
  skipTo(number: number): void {
    this.first = number;
  }

  /** Drops the requests before this number. */
  forgetBefore(number: number): void {
    const done = number - this.first;
    if (done <= 0) return;
    this.kept = done >= this.kept.length ? [] : this.kept.slice(done);
    this.first = number;
  }

  clear(): void {
    this.kept = [];
  }

  /** Counts the request against what calls may keep so as to send it again. False: that is used up. */
  reserve(request: Payload): boolean {
    const bytes = request.length + messagePrefixBytes;
    if (!this.budget.reserve(this.reservedBytes, bytes)) return false;
    this.reservedBytes += bytes;
    return true;
  }

  /** Nothing is sent a second time any more. */
  release(): void {
    this.budget.release(this.reservedBytes);
    this.reservedBytes = 0;
  }
}
