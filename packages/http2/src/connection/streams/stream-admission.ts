import { ErrorCode } from "../../errors/error-code.ts";
import type { LimitName } from "../../errors/limit-name.ts";
import type { Stream } from "../../stream/stream.ts";
import type { Budgets } from "../abuse/budgets.ts";
import type { LimitNotifier } from "../abuse/limit-notifier.ts";
import type { FrameWriter } from "../frame-writer.ts";
import type { ConnectionLimits } from "../limits.ts";
import type { OwnSettings } from "../settings/own-settings.ts";
import type { SharedStreamLimit } from "./shared-stream-limit.ts";
import type { StreamTable } from "./stream-table.ts";

export interface StreamAdmissionParts {
  readonly streams: StreamTable;
  readonly frames: FrameWriter;
  readonly budgets: Budgets;
  readonly limitNotifier: LimitNotifier;
  readonly ownSettings: OwnSettings;
  readonly limits: ConnectionLimits;
  /** Shared with other connections; undefined where each has only its own limit. */
  readonly places: SharedStreamLimit | undefined;
}

/** Enforces the limits of concurrent streams: a stream counts until it is closed and its handler has ended. */
export class StreamAdmission {
  private readonly parts: StreamAdmissionParts;

  constructor(parts: StreamAdmissionParts) {
    this.parts = parts;
  }

  /** Whether a request of the peer is refused. Sends the refusal, unless the peer knows already. */
  refuses(streamId: number): boolean {
    const { streams, budgets, places, limits } = this.parts;
    if (streamId > streams.lastAllowedStreamId) return true;
    if (streams.slots >= limits.streams.maxConcurrent) {
      // The peer cannot know of handlers that outlive their streams, only how many streams it has open.
      if (streams.size >= limits.streams.maxConcurrent) budgets.glitch();
      else budgets.refusalForHandlers();
      this.refuse(streamId, "streams", "too many streams or handlers at once");
      return true;
    }
    if (places?.isFull !== true) return false;
    // No glitch: the peer does not know this limit, nor what others do. It costs more to exhaust the budget for it.
    budgets.refusal();
    this.refuse(streamId, "shared_streams", "too many streams or handlers at once on all connections");
    return true;
  }

  add(stream: Stream): void {
    const { streams, places } = this.parts;
    streams.add(stream);
    if (places !== undefined) places.taken++;
  }

  release(): void {
    const { streams, places } = this.parts;
    streams.slots--;
    if (places !== undefined) places.taken--;
  }

  /** What was not begun may be sent again (RFC 9113 §8.7). */
  private refuse(streamId: number, limit: LimitName, detail: string): void {
    const { streams, ownSettings, frames, limitNotifier } = this.parts;
    streams.endedLocally(streamId, ownSettings.streamAllowanceBytes);
    frames.rstStream(streamId, ErrorCode.refusedStream);
    limitNotifier.notify(limit, "refused", streamId, detail);
  }
}
