/**
 * Server: the streams that we ended before the peer had ended its side, and what may still arrive on each: the peer cannot know yet that the
 * stream is over (RFC 9113 §5.1).
 *
 * Nothing that is honest is forgotten. A peer that keeps to the limit of concurrent streams opens another one only after it has read how an
 * earlier one ended, and whatever it sent on that one arrives before the new one does. So at most `maxStreams` can be on their way, and the
 * oldest is not among them.
 */
export class LocallyEndedStreams {
  readonly #maxStreams: number;
  /** By stream, oldest first: how many bytes of DATA the window still allows. */
  readonly #dataBytes = new Map<number, number>();

  constructor(maxStreams: number) {
    this.#maxStreams = maxStreams;
  }

  remember(id: number, dataBytes: number): void {
    this.#dataBytes.set(id, dataBytes);
    if (this.#dataBytes.size <= this.#maxStreams) return;
    for (const oldest of this.#dataBytes.keys()) {
      this.#dataBytes.delete(oldest);
      break;
    }
  }

  /** Whether DATA of so many bytes can have been sent before the peer knew. Padding counts, as it does for windows. */
  takeData(id: number, bytes: number): boolean {
    const left = this.#dataBytes.get(id);
    if (left === undefined || bytes > left) return false;
    this.#dataBytes.set(id, left - bytes);
    return true;
  }

  /** The peer has ended or reset the stream, too, so nothing else may arrive. False: the stream is not one of these. */
  endedByPeer(id: number): boolean {
    return this.#dataBytes.delete(id);
  }
}
