import { ErrorCode } from "../../errors/error-code.ts";
import { limitError } from "../../errors/http2-error.ts";
import type { ConnectionLimits } from "../limits.ts";
import type { Clock } from "../time/clock.ts";
import { TokenBucket } from "./token-bucket.ts";

/** A completed request gives back a tenth of a reset: a client that cancels one call in twenty is never refused. */
const resetsPerCompleted = 0.1;

/**
 * What one connection may spend on acts that are legal one by one and an attack in number. Each method pays for one act
 * and throws a connection error when nothing is left.
 */
export class Budgets {
  private readonly clock: Clock;
  private readonly limits: ConnectionLimits;
  /** Unused buckets are full, so each is created at its first use. */
  private glitches: TokenBucket | undefined = undefined;
  private peerResets: TokenBucket | undefined = undefined;
  private causedResets: TokenBucket | undefined = undefined;
  private refusals: TokenBucket | undefined = undefined;
  private excused: TokenBucket | undefined = undefined;
  private completed = 0;
  private resetsAfterEnd = 0;
  private windowUpdates = 0;

  constructor(limits: ConnectionLimits, clock: Clock) {
    this.clock = clock;
    this.limits = limits;
  }

  /** Legal but pointless: empty DATA, PRIORITY, unknown frames, empty CONTINUATION. */
  glitch(): void {
    const { burst, perSecond } = this.limits.budgets.glitches;
    this.glitches ??= new TokenBucket(burst, perSecond);
    if (!this.glitches.take(this.clock.nowMs())) {
      throw limitError("glitches", ErrorCode.enhanceYourCalm, "too_many_glitches");
    }
  }

  /** The peer reset a stream (CVE-2023-44487). */
  peerReset(): void {
    const { burst, perSecond } = this.limits.budgets.peerResets;
    this.peerResets ??= new TokenBucket(burst, perSecond);
    this.peerResets.refund(this.completed * resetsPerCompleted);
    this.completed = 0;
    if (!this.peerResets.take(this.clock.nowMs())) {
      throw limitError("resets", ErrorCode.enhanceYourCalm, "too_many_resets");
    }
  }

  /** The peer reset a stream that was closed already: its reset has crossed our end. That can happen once for each stream. */
  resetAfterEnd(streamsOpened: number): void {
    this.resetsAfterEnd++;
    if (this.resetsAfterEnd > streamsOpened) this.glitch();
  }

  /** The peer made us reset a stream (CVE-2025-8671). */
  causedReset(): void {
    const { burst, perSecond } = this.limits.budgets.causedResets;
    this.causedResets ??= new TokenBucket(burst, perSecond);
    if (!this.causedResets.take(this.clock.nowMs())) {
      throw limitError("caused_resets", ErrorCode.enhanceYourCalm, "too_many_stream_errors");
    }
  }

  /** A stream was refused because of what other connections do. Not the peer's fault, but not for free either. */
  refusal(): void {
    const { burst, perSecond } = this.limits.budgets.refusals;
    this.refusals ??= new TokenBucket(burst, perSecond);
    if (!this.refusals.take(this.clock.nowMs())) {
      throw limitError("shared_streams", ErrorCode.enhanceYourCalm, "too_many_refused_streams");
    }
  }

  /** The peer reset a stream that was at its end anyway. */
  expectedReset(): void {
    if (!this.takeExcused()) throw limitError("resets", ErrorCode.enhanceYourCalm, "too_many_resets");
  }

  /** A stream was refused because of handlers that outlive their streams, which the peer cannot see. */
  refusalForHandlers(): void {
    if (!this.takeExcused()) throw limitError("streams", ErrorCode.enhanceYourCalm, "too_many_refused_streams");
  }

  private takeExcused(): boolean {
    const { burst, perSecond } = this.limits.budgets.excusedResets;
    this.excused ??= new TokenBucket(burst, perSecond);
    return this.excused.take(this.clock.nowMs());
  }

  /**
   * Counts a window update. As many are normal as there were streams and DATA frames to answer; a receiver that gives window
   * back for each KiB it has read stays within this, too. More is pointless.
   */
  windowUpdate(streamsOpened: number, dataFrames: number, dataBytes: number): void {
    this.windowUpdates++;
    if (this.windowUpdates > 5 + 2 * streamsOpened + 10 * dataFrames + dataBytes / 512) this.glitch();
  }

  streamCompleted(): void {
    this.completed++;
  }
}
