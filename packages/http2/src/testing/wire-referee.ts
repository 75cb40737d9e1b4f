import { FrameType } from "../frame/frame-type.ts";

/**
 * Watches what one side sends and throws when it breaks a rule that every sender has to keep (RFC 9113 §5.1, §4.2): so
 * every test that runs through the scripted peer also tests that.
 */
export class WireReferee {
  /** Largest payload that the sender may use; the peer's SETTINGS_MAX_FRAME_SIZE. */
  maxFrameBytes = 16_384;
  private readonly over = new Map<number, "ended" | "reset">();
  private goawayId = Number.POSITIVE_INFINITY;

  check(type: number, streamId: number, length: number): void {
    if (length > this.maxFrameBytes)
      throw new Error(`a frame of ${length} bytes was sent; ${this.maxFrameBytes} may be`);
    const isConnectionFrame = type === FrameType.settings || type === FrameType.ping || type === FrameType.goaway;
    if (isConnectionFrame && streamId !== 0) throw new Error(`a frame of type ${type} was sent on stream ${streamId}`);
    const isStreamFrame = type !== FrameType.windowUpdate && !isConnectionFrame;
    if (isStreamFrame && streamId === 0) throw new Error(`a frame of type ${type} was sent on stream 0`);
    const over = this.over.get(streamId);
    if ((type === FrameType.data || type === FrameType.headers) && over !== undefined) {
      throw new Error(`a frame of type ${type} was sent on stream ${streamId}, which the sender had ${over}`);
    }
    if (type === FrameType.windowUpdate && over === "reset") {
      throw new Error(`a window update was sent on stream ${streamId}, which the sender had reset`);
    }
  }

  ended(streamId: number): void {
    this.over.set(streamId, "ended");
  }

  reset(streamId: number): void {
    this.over.set(streamId, "reset");
  }

  /** §6.8: the identifier may only fall. */
  goaway(lastStreamId: number): void {
    if (lastStreamId > this.goawayId) throw new Error(`GOAWAY named ${lastStreamId} after ${this.goawayId}`);
    this.goawayId = lastStreamId;
  }
}
