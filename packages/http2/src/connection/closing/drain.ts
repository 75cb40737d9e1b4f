import { ErrorCode } from "../../errors/error-code.ts";
import { connectionError, Http2Error } from "../../errors/http2-error.ts";
import { maxUint31 } from "../../frame/frame-header.ts";
import { type Goaway, withDebugData } from "../../frame/goaway.ts";
import type { FrameWriter } from "../frame-writer.ts";
import type { Role } from "../role.ts";
import type { StreamTable } from "../streams/stream-table.ts";
import type { Clock } from "../time/clock.ts";
import type { Pings } from "../time/pings.ts";
import type { Shutdown } from "./shutdown.ts";

/** How long a drain waits for the acknowledgement of its ping before it names the last stream. */
const pingTimeoutMs = 5000;

export interface DrainParts {
  readonly role: Role;
  readonly clock: Clock;
  readonly streams: StreamTable;
  readonly frames: FrameWriter;
  readonly pings: Pings;
  readonly shutdown: Shutdown;
}

/** Ends a connection without losing a request, by our own wish or the peer's (RFC 9113 §6.8). */
export class Drain {
  /** No new streams: one of the two sides has said so. */
  hasBegun = false;
  /** The peer's latest GOAWAY. */
  peerGoaway: Goaway | undefined = undefined;
  private readonly parts: DrainParts;

  constructor(parts: DrainParts) {
    this.parts = parts;
  }

  begin(reason: string): void {
    const { role, clock, streams, frames, pings, shutdown } = this.parts;
    if (this.hasBegun || shutdown.isFailing || shutdown.isClosed) {
      this.endWhenIdle();
      return;
    }
    this.hasBegun = true;
    if (role === "client") {
      frames.goaway(0, ErrorCode.noError, reason);
      this.endWhenIdle();
      return;
    }
    // Requests that cross the first GOAWAY are still taken; the ping's acknowledgement shows that the peer has read it.
    frames.goaway(maxUint31, ErrorCode.noError, reason);
    const nameLast = (): void => {
      cancel();
      if (shutdown.isFailing || shutdown.isClosed || streams.lastAllowedStreamId !== maxUint31) return;
      streams.lastAllowedStreamId = streams.lastStreamId;
      frames.goaway(streams.lastAllowedStreamId, ErrorCode.noError, reason);
      this.endWhenIdle();
    };
    const cancel = clock.after(pingTimeoutMs, nameLast);
    pings.send(nameLast);
  }

  /** The peer does not process streams after the last one that it names. Throws when a later GOAWAY names a later stream. */
  peerGoesAway(goaway: Goaway): void {
    // §6.8: what was called unprocessed may have been sent elsewhere by now.
    if (this.parts.role === "client" && goaway.lastStreamId % 2 === 0 && goaway.lastStreamId !== 0) {
      throw connectionError(
        ErrorCode.protocolError,
        `a GOAWAY names stream ${goaway.lastStreamId}, which a client never opens`,
      );
    }
    if (goaway.lastStreamId > (this.peerGoaway?.lastStreamId ?? maxUint31)) {
      throw connectionError(ErrorCode.protocolError, "a GOAWAY names a later stream than the one before");
    }
    this.peerGoaway = goaway;
    this.hasBegun = true;
  }

  /** Client: the streams that the peer has not acted on, and will not, are over. */
  abortUnprocessed(goaway: Goaway): void {
    if (this.parts.role !== "client") return;
    const error = new Http2Error(withDebugData("the peer went away before it acted on the stream", goaway), {
      scope: "stream",
      blame: "peer",
      code: goaway.code,
      unprocessed: true,
    });
    for (const stream of this.parts.streams.all()) if (stream.id > goaway.lastStreamId) stream.abort(error);
  }

  /** A drain is over when no stream and no handler is left; a server waits until its last stream has been named, too. */
  endWhenIdle(): void {
    const { role, streams, pings, shutdown } = this.parts;
    if (!this.hasBegun || streams.size > 0 || streams.slots > 0) return;
    if (role === "server" && streams.lastAllowedStreamId === maxUint31 && pings.size > 0) return;
    shutdown.end();
  }
}
