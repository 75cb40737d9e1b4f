import { ErrorCode } from "../../errors/error-code.ts";
import { type Http2Error, limitError } from "../../errors/http2-error.ts";
import type { FrameWriter } from "../frame-writer.ts";
import type { ConnectionLimits } from "../limits.ts";
import type { LimitNotifier } from "./limit-notifier.ts";

/** The input of a connection, see `FrameIntake`. */
export interface PausableInput {
  /** False: it was paused already. */
  pauseUntilDrained(): boolean;
}

/** Pauses reading from a peer that requests responses and does not read them. */
export class ControlFrameGuard {
  private readonly frames: FrameWriter;
  private readonly limits: ConnectionLimits;
  private readonly intake: PausableInput;
  private readonly limitNotifier: LimitNotifier;

  constructor(frames: FrameWriter, limits: ConnectionLimits, intake: PausableInput, limitNotifier: LimitNotifier) {
    this.frames = frames;
    this.limits = limits;
    this.intake = intake;
    this.limitNotifier = limitNotifier;
  }

  /** Counts a response to a control frame. Throws when too many wait already. */
  answered(): void {
    const { frames, limits } = this;
    if (frames.queuedControlFrames < limits.controlFrames.pauseAtQueued) return;
    frames.flush();
    if (frames.queuedControlFrames >= limits.controlFrames.maxQueued) {
      throw limitError("control_frames", ErrorCode.enhanceYourCalm, "too_many_control_frames");
    }
    if (frames.queuedControlFrames > 0 && this.intake.pauseUntilDrained()) {
      this.limitNotifier.notify(
        "control_frames",
        "paused",
        0,
        "the peer sends requests and does not read the responses",
      );
    }
  }

  /** So many bytes of any frames wait in the socket, more than before. Returns why the connection has to end, if so. */
  backlogGrew(bytes: number): Http2Error | undefined {
    const { limits } = this;
    if (bytes >= limits.output.maxBacklogBytes) {
      return limitError(
        "output_backlog",
        ErrorCode.enhanceYourCalm,
        "the peer does not read the responses that it requests",
      );
    }
    if (bytes >= limits.output.pauseAtBacklogBytes && this.intake.pauseUntilDrained()) {
      this.limitNotifier.notify(
        "output_backlog",
        "paused",
        0,
        `${bytes} bytes of output wait because the peer does not read`,
      );
    }
    return undefined;
  }
}
