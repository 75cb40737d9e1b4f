import { FrameReader } from "../frame/frame-reader.ts";
import { type TurnWork, workOfFrame } from "../frame/turn-work.ts";
import { type ChunkReader, ReadPacer } from "./abuse/read-pacer.ts";
import type { ByteChannel } from "./byte-channel.ts";
import type { Inbound } from "./inbound.ts";
import type { ConnectionLimits } from "./limits.ts";
import type { StreamRegistry } from "./streams/stream-registry.ts";
import type { Clock } from "./time/clock.ts";
import type { ConnectionTimers } from "./time/connection-timers.ts";

export interface FrameIntakeParts {
  readonly socket: ByteChannel;
  readonly clock: Clock;
  readonly limits: ConnectionLimits;
  readonly turnWork: TurnWork;
  readonly phases: ConnectionTimers;
  readonly inbound: Inbound;
  readonly registry: StreamRegistry;
}

/** The bytes of a connection on their way in: cut into frames, and no more of them in a turn than the connection's share of work. */
export class FrameIntake implements ChunkReader {
  readonly pacer: ReadPacer;
  private readonly parts: FrameIntakeParts;
  /** Undefined before the first bytes. */
  private reader: FrameReader | undefined = undefined;

  constructor(parts: FrameIntakeParts) {
    this.parts = parts;
    this.pacer = new ReadPacer(parts.socket, this, parts.turnWork, maxWorkPerTurn(parts.limits));
  }

  readChunk(chunk: Uint8Array, from: number): number {
    const { inbound, registry, limits, turnWork, phases, clock } = this.parts;
    this.reader ??= new FrameReader(inbound, limits.frames.maxBytes, turnWork);
    const { reader } = this;
    let stoppedAt: number;
    registry.requestGate?.beginTurn();
    try {
      stoppedAt = reader.read(chunk, from, maxWorkPerTurn(limits));
    } catch (error) {
      inbound.failed(error, 0);
      return -1;
    }
    phases.afterRead(reader.isInsideFrame, reader.framesRead, clock);
    return stoppedAt;
  }

  /** Nothing is read any more, from within a frame's handling too. */
  stop(): void {
    this.reader?.stop();
    this.pacer.stop();
  }
}

function maxWorkPerTurn({ frames }: ConnectionLimits): number {
  return workOfFrame * frames.maxPerTurn;
}
