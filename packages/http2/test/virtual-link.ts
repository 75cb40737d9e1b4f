import { setImmediate as endOfTurn } from "node:timers/promises";
import type { ByteChannel } from "../src/connection/byte-channel.ts";
import { clientPreface } from "../src/connection/settings/client-preface.ts";
import type { FedConnection } from "../src/internal.ts";
import { FakeClock } from "../src/testing/index.ts";

export interface LinkSpeed {
  readonly bytesPerSecond: number;
  /** There and back. */
  readonly roundTripMs: number;
}

/** What a kernel takes from a sender before the sender notices that the link is slower. */
const kernelBytes = 524_288;
/** The clock moves in steps of this; what is sent in one arrives in one. */
const stepMs = 1;

/** One end of a link: what is written here arrives at the other end later, at the link's speed. */
class LinkEnd implements ByteChannel {
  /** The connection at the other end. */
  reader: FedConnection | undefined;
  /** Bytes in front of what the reader reads: a server's connection begins behind the preface. */
  skip = 0;
  private readonly clock: FakeClock;
  private readonly speed: LinkSpeed;
  private readonly queue: { bytes: Uint8Array; written: (() => void) | undefined }[] = [];
  private queuedBytes = 0;
  private sendable = 0;
  private sentOfFirst = 0;

  constructor(clock: FakeClock, speed: LinkSpeed) {
    this.clock = clock;
    this.speed = speed;
  }

  get writableLength(): number {
    return Math.max(0, this.queuedBytes - kernelBytes);
  }

  write(bytes: Uint8Array, written?: () => void): boolean {
    const kept = Buffer.from(bytes.subarray(this.skip));
    this.skip -= bytes.length - kept.length;
    this.queue.push({ bytes: kept, written });
    this.queuedBytes += kept.length;
    return this.writableLength === 0;
  }

  /** What the line takes in one step goes on its way. */
  step(): void {
    const wasOver = this.writableLength > 0;
    // A line cannot save up the time in which no one sent.
    this.sendable = Math.min(this.sendable, 0) + (this.speed.bytesPerSecond * stepMs) / 1000;
    while (this.sendable > 0) {
      const first = this.queue[0];
      if (first === undefined) break;
      const part = first.bytes.subarray(this.sentOfFirst, this.sentOfFirst + Math.ceil(this.sendable));
      this.sentOfFirst += part.length;
      this.sendable -= part.length;
      this.queuedBytes -= part.length;
      this.clock.after(this.speed.roundTripMs / 2, () => this.reader?.receive(part));
      if (this.sentOfFirst < first.bytes.length) break;
      this.sentOfFirst = 0;
      this.queue.shift();
    }
    if (wasOver && this.writableLength > 0) return;
    for (const write of this.queue) {
      if (write.written !== undefined) process.nextTick(write.written);
      write.written = undefined;
    }
  }

  cork(): void {}
  uncork(): void {}
  pause(): void {}
  resume(): void {}
  end(): void {}
  destroy(): void {}
}

/** Two ends that are joined by a line, on a clock that moves only while `until` waits. No processor is too slow for it. */
export class VirtualLink {
  readonly clock = new FakeClock();
  readonly clientEnd: LinkEnd;
  readonly serverEnd: LinkEnd;

  constructor(speed: LinkSpeed) {
    this.clientEnd = new LinkEnd(this.clock, speed);
    this.serverEnd = new LinkEnd(this.clock, speed);
    this.clientEnd.skip = clientPreface.length;
  }

  join(client: FedConnection, server: FedConnection): void {
    this.clientEnd.reader = server;
    this.serverEnd.reader = client;
  }

  /** Lets time pass until `isOver`; throws when it is not after `limitMs`. */
  async until(isOver: () => boolean, limitMs: number): Promise<void> {
    while (!isOver()) {
      if (this.clock.nowMs() > limitMs) throw new Error(`not over after ${limitMs} ms`);
      // Everything that answers what has come does so before time goes on.
      await endOfTurn();
      this.clientEnd.step();
      this.serverEnd.step();
      this.clock.advance(stepMs);
    }
  }
}
