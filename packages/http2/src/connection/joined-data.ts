import { outputSlabs } from "../bytes/slab-pool.ts";
import type { SendHalf } from "../stream/send-half.ts";

/** What a stream collects before it becomes a frame. A slab has room for 32 streams. */
const shareBytes = 2048;

/** Larger data has a frame of its own: copying it once more would cost more than the frame. */
const maxJoinedBytes = 512;

/**
 * Small data of streams that send more than once in a turn: what comes after the first leaves as one frame of each stream. A frame of its own for
 * each message of a few bytes costs both sides more than the message. One object for a turn.
 */
export class JoinedData {
  /** Where `reserve` has room: `shareBytes` for each stream of `streamIds`. */
  readonly bytes = outputSlabs.take();
  private readonly streamIds: number[] = [];
  private readonly lengths: number[] = [];
  /** Of all streams. */
  totalBytes = 0;
  private reservedIn = -1;

  static fits(bytes: number): boolean {
    return bytes > 0 && bytes <= maxJoinedBytes;
  }

  /** Room after what the stream has collected; -1 when there is none. `commit` follows at once. */
  reserve(send: SendHalf, streamId: number, bytes: number): number {
    let share = send.joinedShare;
    if (this.streamIds[share] !== streamId) {
      share = this.streamIds.length;
      if ((share + 1) * shareBytes > this.bytes.length) return -1;
      this.streamIds.push(streamId);
      this.lengths.push(0);
      send.joinedShare = share;
    }
    const length = this.lengths[share] as number;
    if (length + bytes > shareBytes) return -1;
    this.reservedIn = share;
    return share * shareBytes + length;
  }

  commit(bytes: number): void {
    this.lengths[this.reservedIn] = (this.lengths[this.reservedIn] as number) + bytes;
    this.totalBytes += bytes;
  }

  /** Takes out what the stream has collected; undefined where that is nothing. It stays in place until the next `reserve`. */
  take(streamId: number): Uint8Array | undefined {
    const share = this.streamIds.indexOf(streamId);
    const length = share === -1 ? 0 : (this.lengths[share] as number);
    if (length === 0) return undefined;
    this.lengths[share] = 0;
    this.totalBytes -= length;
    return this.bytes.subarray(share * shareBytes, share * shareBytes + length);
  }

  /** The turn is over: calls `send` with each stream that has collected something, which takes it. */
  end(send: (streamId: number) => void): void {
    for (const streamId of this.streamIds) send(streamId);
    outputSlabs.give(this.bytes);
  }
}
