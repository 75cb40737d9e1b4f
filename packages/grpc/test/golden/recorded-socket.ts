import { subscribe, unsubscribe } from "node:diagnostics_channel";
import type { Socket } from "node:net";
import { ScriptedPeer } from "@tercel/http2/testing";
import { turn } from "@tercel/test-support/async";
import { type Direction, recordWrites, Transcript } from "@tercel/test-support/golden";
import { gzipMask, userAgentMask } from "./masks.ts";

/** RFC 9113 §3.4. */
const prefaceBytes = 24;

/** What tests put before the name of the client. */
const userAgentPrefix = "shop/1.0 ";

/** Turns without a byte after which the side under test has nothing more to write by itself. */
const quietTurns = 8;

/** The scripted end of a socket whose other end is under test in the same process. Both directions are written down. */
export interface RecordedPeer {
  readonly peer: ScriptedPeer;
  /** Writes `what` down, runs the step, and resolves when `isDone` is true and nothing happens any more. Default: at once. */
  step(what: string, act: () => unknown, isDone?: () => boolean): Promise<void>;
  /** True once the side under test has ended so many streams in this step, by END_STREAM or a reset. */
  hasEnded(streams: number): boolean;
}

/** A part of a transcript that is about one socket. What is written before `start` is not recorded. */
export class SocketRecording {
  private target = new Transcript();
  private readonly transcript: Transcript;

  constructor(transcript: Transcript) {
    this.transcript = transcript;
    if (transcript.masks.length === 0) transcript.masks.push(userAgentMask([userAgentPrefix]), gzipMask);
  }

  start(): void {
    this.target = this.transcript;
  }

  write(direction: Direction, buffers: readonly Uint8Array[]): void {
    this.target.write(direction, buffers);
  }

  event(direction: Direction, what: string): void {
    this.target.event(direction, what);
  }

  note(text: string): void {
    this.target.note(text);
  }
}

/** The next socket that this process accepts or makes, whose writes are recorded. */
export function nextSocket(
  name: "net.server.socket" | "net.client.socket",
  recording: SocketRecording,
): Promise<Socket> {
  return new Promise((resolve) => {
    const onSocket = (message: unknown): void => {
      unsubscribe(name, onSocket);
      const { socket } = message as { socket: Socket };
      // Not yet: connect(), which follows, puts Node's own write() back. Nothing is written before the end of this turn.
      queueMicrotask(() => {
        recordWrites(socket, recording);
        resolve(socket);
      });
    };
    subscribe(name, onSocket);
  });
}

/** Plays the end `theirs` of a connection whose other end, `ours`, is under test. */
export function createRecordedPeer(
  recording: SocketRecording,
  theirs: Socket,
  ours: Socket,
  ourRole: "client" | "server",
): RecordedPeer {
  let outgoing: Uint8Array[] = [];
  let endedStreams = 0;
  // All that a step sends arrives as one chunk.
  const flush = (): void => {
    if (outgoing.length === 0) return;
    const chunk = Buffer.concat(outgoing);
    outgoing = [];
    recording.write("<", [chunk]);
    theirs.write(chunk);
  };
  /** Resolves when nothing is on its way and nothing comes any more. */
  const settle = async (): Promise<void> => {
    flush();
    for (let quiet = 0, seen = -1; quiet < quietTurns; quiet++) {
      await turn();
      const isOver = ours.destroyed || theirs.destroyed;
      const isUnderWay = ours.bytesRead < theirs.bytesWritten || theirs.bytesRead < ours.bytesWritten;
      const activity = ours.bytesRead + ours.bytesWritten;
      if ((isUnderWay && !isOver) || activity !== seen) quiet = 0;
      seen = activity;
    }
  };
  const peer = new ScriptedPeer({ send: (chunk) => outgoing.push(chunk), settle });
  /** Reads what has come; the peer's decoder throws for what no sender may send. */
  const drain = async (): Promise<void> => {
    await settle();
    while (peer.unread.length > 0) {
      const frame = await peer.nextFrame();
      if (frame.type === "RST_STREAM" || ("endStream" in frame && frame.endStream)) endedStreams++;
    }
    await peer.expectNothingMore();
  };
  // What a client under test opens with is not a frame.
  let prefaceLeft = ourRole === "client" ? prefaceBytes : 0;
  theirs.on("data", (chunk: Buffer) => {
    const skip = Math.min(prefaceLeft, chunk.length);
    prefaceLeft -= skip;
    if (skip < chunk.length) peer.receive(chunk.subarray(skip));
  });
  theirs.on("close", () => peer.closed());
  theirs.on("error", () => {});
  return {
    peer,
    async step(what, act, isDone = () => true) {
      recording.note(what);
      endedStreams = 0;
      await act();
      await drain();
      while (!isDone()) {
        // Some work is done by Node's threads, such as gzip of large messages.
        await new Promise((resolve) => setTimeout(resolve, 1));
        await drain();
      }
    },
    hasEnded: (streams) => endedStreams >= streams,
  };
}
