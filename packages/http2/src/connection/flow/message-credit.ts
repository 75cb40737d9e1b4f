import { ErrorCode } from "../../errors/error-code.ts";
import { type Http2Error, streamLimitError } from "../../errors/http2-error.ts";
import type { Borrower } from "../../stream/loan.ts";
import type { LimitNotifier } from "../abuse/limit-notifier.ts";
import type { ConnectionLimits } from "../limits.ts";
import type { OwnSettings } from "../settings/own-settings.ts";
import type { StreamTable } from "../streams/stream-table.ts";
import type { Clock } from "../time/clock.ts";
import type { ConnectionCredit } from "./connection-credit.ts";
import { SharedUnfinished, UnfinishedMessages, type UnfinishedOwner } from "./unfinished-messages.ts";

export interface MessageCreditParts {
  readonly clock: Clock;
  readonly limits: ConnectionLimits;
  readonly streams: StreamTable;
  readonly credit: ConnectionCredit;
  readonly ownSettings: OwnSettings;
  readonly limitNotifier: LimitNotifier;
  /** Undefined where each connection has one of its own. */
  readonly sharedUnfinished: SharedUnfinished | undefined;
  readonly registry: {
    /** Ends one stream for the peer's fault. */
    failStream(streamId: number, error: Http2Error): void;
  };
}

/** A connection's unfinished messages, and the windows of its streams, which are small while such a message waits for credit. */
export class MessageCredit implements UnfinishedOwner {
  readonly unfinished: UnfinishedMessages;
  private readonly parts: MessageCreditParts;

  constructor(parts: MessageCreditParts) {
    this.parts = parts;
    const { maxBytes, sharedBytes } = parts.limits.unfinishedMessages;
    const shared = parts.sharedUnfinished ?? new SharedUnfinished(sharedBytes);
    this.unfinished = new UnfinishedMessages(maxBytes, shared, this, parts.clock);
  }

  /** The peer has acknowledged small windows. */
  tightened(): void {
    const { credit, ownSettings } = this.parts;
    this.tightenStreams();
    credit.giveAhead(ownSettings.streamWindowBytes);
    // There may be room again by now.
    if (!this.unfinished.isShort) this.relax();
  }

  // ---- UnfinishedOwner

  tighten(): void {
    const { limitNotifier, ownSettings } = this.parts;
    limitNotifier.notify("unfinished_messages", "paused", 0, "unfinished messages wait for room");
    ownSettings.tighten();
  }

  relax(): void {
    const { credit, ownSettings } = this.parts;
    if (!ownSettings.relax()) return;
    credit.endAhead();
    this.growStreamWindows(ownSettings.tightenedBytes);
  }

  stalled(stream: Borrower): void {
    const detail = "a message made no progress, and others wait for what it holds";
    const error = streamLimitError("unfinished_messages", ErrorCode.enhanceYourCalm, detail);
    this.parts.registry.failStream(stream.id, error);
  }

  // ---- within

  private growStreamWindows(bytes: number): void {
    for (const stream of this.parts.streams.all()) stream.growReceiveWindow(bytes);
  }

  private tightenStreams(): void {
    this.growStreamWindows(-this.parts.ownSettings.tightenedBytes);
    // What was too little credit to announce in a wide window may be all that a stream has in a small one.
    for (const stream of this.parts.streams.all()) stream.giveCredit(0);
  }
}
