import type { OutputLimits } from "../limits.ts";

/** A connection whose peer lets bytes wait. */
export interface OutputHolder {
  /** Too much waits on all connections, and this one's peer takes the least of it. */
  giveUpOutput(): void;
}

interface Held {
  readonly bytes: number;
  readonly stalledForMs: number;
}

/**
 * Bounds the bytes that wait to be sent on all connections that share it. Beyond the limit those connections end whose peers have taken too
 * little for the longest: for half of `stallTimeoutMs` at least, so that a peer that takes twice `minBytesPerSecond` is never one
 * of them, nor one for which no more waits than `streamBufferBytes`.
 */
export class SharedOutput {
  readonly #maxBytes: number;
  readonly #exemptBytes: number;
  readonly #minStallMs: number;
  readonly #held = new Map<OutputHolder, Held>();
  readonly #maxWaitingBytes: number;
  /** Bytes that wait for windows and sockets now, on all connections; counted by the connections. */
  waitingBytes = 0;
  /** As of what the connections have reported. */
  #totalBytes = 0;

  constructor(
    limits: Pick<OutputLimits, "sharedStalledBytes" | "sharedWaitingBytes" | "streamBufferBytes" | "stallTimeoutMs">,
  ) {
    this.#maxBytes = limits.sharedStalledBytes;
    this.#maxWaitingBytes = limits.sharedWaitingBytes;
    this.#exemptBytes = limits.streamBufferBytes;
    this.#minStallMs = limits.stallTimeoutMs / 2;
  }

  /** What may still wait before requests are held; negative where more waits already. */
  get leftBytes(): number {
    return this.#maxWaitingBytes - this.waitingBytes;
  }

  /** What waits on one connection now, and how long too little of it has left: once a second. True: the connection has to end. */
  report(holder: OutputHolder, bytes: number, stalledForMs: number): boolean {
    this.delete(holder);
    if (bytes <= this.#exemptBytes) return false;
    this.#held.set(holder, { bytes, stalledForMs });
    this.#totalBytes += bytes;
    while (this.#totalBytes > this.#maxBytes) {
      const worst = this.#longestStalled();
      if (worst === undefined) return false;
      this.delete(worst);
      if (worst === holder) return true;
      worst.giveUpOutput();
    }
    return false;
  }

  delete(holder: OutputHolder): void {
    this.#totalBytes -= this.#held.get(holder)?.bytes ?? 0;
    this.#held.delete(holder);
  }

  #longestStalled(): OutputHolder | undefined {
    let worst: OutputHolder | undefined;
    let longestMs = -1;
    for (const [holder, { stalledForMs }] of this.#held) {
      if (stalledForMs < this.#minStallMs || stalledForMs <= longestMs) continue;
      worst = holder;
      longestMs = stalledForMs;
    }
    return worst;
  }
}
