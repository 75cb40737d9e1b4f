/** Whether a frame can have been sent before the peer knew of our reset ("inFlight") or not ("late"). */
export type Arrival = "inFlight" | "late";

/** The peer has ended the stream, too. */
const ended = -1;

/**
 * Server: the streams that we reset, and what may still arrive on each: the peer cannot know yet that the stream is over (RFC 9113 §5.1).
 *
 * Nothing that is honest is forgotten. A peer that keeps to the limit of concurrent streams opens another one only after it has read how an
 * earlier one ended, and whatever it sent on that one arrives before the new one does. So at most `maxStreams` can be on their way, and the
 * oldest is not among them.
 */
export class LocallyEndedStreams {
  readonly #maxStreams: number;
  /** By stream, oldest first: how many bytes of DATA the window still allows, or `ended`. */
  readonly #dataBytes = new Map<number, number>();

  constructor(maxStreams: number) {
    this.#maxStreams = maxStreams;
  }

  /** `dataBytes` may still arrive; undefined: nothing, because the peer has ended its side. What is known of the stream already stays. */
  remember(id: number, dataBytes: number | undefined): void {
    if (this.#dataBytes.has(id)) return;
    this.#dataBytes.set(id, dataBytes === undefined ? ended : Math.max(0, dataBytes));
    if (this.#dataBytes.size <= this.#maxStreams) return;
    for (const oldest of this.#dataBytes.keys()) {
      this.#dataBytes.delete(oldest);
      break;
    }
  }

  /** DATA has arrived. Padding counts, as it does for windows. Undefined: the stream is not one of these. */
  data(id: number, bytes: number, endStream: boolean): Arrival | undefined {
    const left = this.#dataBytes.get(id);
    if (left === undefined || bytes > left) return left === undefined ? undefined : "late";
    this.#dataBytes.set(id, endStream ? ended : left - bytes);
    return "inFlight";
  }

  /** The peer's end or reset of the stream has arrived. Undefined: the stream is not one of these. */
  end(id: number): Arrival | undefined {
    const left = this.#dataBytes.get(id);
    if (left === undefined || left === ended) return left === undefined ? undefined : "late";
    this.#dataBytes.set(id, ended);
    return "inFlight";
  }
}
