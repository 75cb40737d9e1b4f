import { ErrorCode } from "../../errors/error-code.ts";
import { type Http2Error, limitError } from "../../errors/http2-error.ts";
import type { LimitName } from "../../errors/limit-name.ts";
import { WriteProgress } from "../abuse/write-progress.ts";
import type { ConnectionLimits } from "../limits.ts";
import type { Clock } from "./clock.ts";

/** The age varies by up to a tenth in either direction. */
const ageJitter = 0.1;

/** Which part of its life a connection is in, and since when: and what may take only so long. */
export class ConnectionTimers {
  private readonly limits: ConnectionLimits;
  private readonly startedAtMs: number;
  private insideFrameSinceMs: number | undefined = undefined;
  private framesRead = 0;
  private idleSinceMs: number | undefined = undefined;
  /** Undefined while nothing waits in the socket, as on idle connections. */
  private progress: WriteProgress | undefined = undefined;
  /** Connections that began together must not all come back together. */
  private readonly maxAgeMs: number;
  private oldSinceMs: number | undefined = undefined;

  constructor(limits: ConnectionLimits, nowMs: number) {
    this.limits = limits;
    this.startedAtMs = nowMs;
    this.maxAgeMs = limits.life.maxAgeMs * (1 - ageJitter + 2 * ageJitter * Math.random());
  }

  /** A stream was opened. */
  busy(): void {
    this.idleSinceMs = undefined;
  }

  /** After every read: whether a frame was left half read. Another frame's end counts as progress. */
  afterRead(isInsideFrame: boolean, framesRead: number, clock: Clock): void {
    if (!isInsideFrame) this.insideFrameSinceMs = undefined;
    else if (this.insideFrameSinceMs === undefined || framesRead !== this.framesRead) {
      this.insideFrameSinceMs = clock.nowMs();
      this.framesRead = framesRead;
    }
  }

  /** What took too long, or undefined. */
  overdue(
    nowMs: number,
    settingsReceived: boolean,
    settingsAcked: boolean,
    headersSinceMs: number | undefined,
  ): Http2Error | undefined {
    const { limits } = this;
    const ageMs = nowMs - this.startedAtMs;
    if (!settingsReceived && ageMs >= limits.life.handshakeTimeoutMs)
      return timedOut("handshake_timeout", "the peer sent no SETTINGS in time");
    if (!settingsAcked && ageMs >= limits.life.settingsAckTimeoutMs)
      return timedOut("settings_ack_timeout", "our SETTINGS were not acknowledged");
    if (headersSinceMs !== undefined && nowMs - headersSinceMs >= limits.frames.timeoutMs) {
      return tooSlow("a header block was not ended in time");
    }
    if (this.insideFrameSinceMs !== undefined && nowMs - this.insideFrameSinceMs >= limits.frames.timeoutMs) {
      return tooSlow("a frame was not ended in time");
    }
    return undefined;
  }

  /**
   * Bytes wait in the socket, and too few have left for `stallTimeoutMs`. Counted by what has left of all that was
   * `handedBytes`: by what waits, a peer that keeps us answering would look like one that reads.
   */
  isStalled(nowMs: number, handedBytes: number, writableBytes: number): boolean {
    if (writableBytes === 0) {
      this.progress = undefined;
      return false;
    }
    const { stallTimeoutMs, minBytesPerSecond } = this.limits.output;
    this.progress ??= new WriteProgress();
    const minBytes = (minBytesPerSecond * stallTimeoutMs) / 1000;
    const leftBytes = handedBytes - writableBytes;
    return this.progress.stalledForMs(nowMs, leftBytes, writableBytes, minBytes) >= stallTimeoutMs;
  }

  /** True once: the connection has reached its age. */
  isTooOld(nowMs: number): boolean {
    if (this.limits.life.maxAgeMs === 0 || this.oldSinceMs !== undefined) return false;
    if (nowMs - this.startedAtMs < this.maxAgeMs) return false;
    this.oldSinceMs = nowMs;
    return true;
  }

  /** The drain that followed has taken its time. */
  isGraceOver(nowMs: number): boolean {
    const { maxAgeGraceMs } = this.limits.life;
    return maxAgeGraceMs > 0 && this.oldSinceMs !== undefined && nowMs - this.oldSinceMs >= maxAgeGraceMs;
  }

  isIdle(nowMs: number, slots: number): boolean {
    if (slots > 0 || this.limits.life.maxIdleMs === 0) {
      this.idleSinceMs = undefined;
      return false;
    }
    this.idleSinceMs ??= nowMs;
    return nowMs - this.idleSinceMs >= this.limits.life.maxIdleMs;
  }
}

function timedOut(limit: LimitName, message: string): Http2Error {
  return limitError(limit, ErrorCode.settingsTimeout, message);
}

function tooSlow(message: string): Http2Error {
  return limitError("frame_timeout", ErrorCode.enhanceYourCalm, message);
}
