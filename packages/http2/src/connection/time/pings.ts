import type { Http2Error } from "../../errors/http2-error.ts";
import type { FrameWriter } from "../frame-writer.ts";

/** Called once: without an error for the acknowledgement, with one when the connection ends before. */
export type PingSettled = (error?: Http2Error) => void;

/** Our pings that are not acknowledged yet, by the number that each carries. */
export class Pings {
  private next = 1;
  /** Undefined before the first. */
  private open: Map<number, PingSettled> | undefined = undefined;
  private readonly frames: FrameWriter;

  constructor(frames: FrameWriter) {
    this.frames = frames;
  }

  get size(): number {
    return this.open?.size ?? 0;
  }

  send(settle: PingSettled): void {
    const number = this.next;
    this.next = (number + 1) >>> 0;
    this.open ??= new Map();
    this.open.set(number, settle);
    this.frames.ping(number);
  }

  /** An acknowledgement of a ping that we did not send is ignored. */
  acknowledged(number: number): void {
    const settle = this.open?.get(number);
    this.open?.delete(number);
    settle?.();
  }

  endAll(error: Http2Error): void {
    if (this.open === undefined) return;
    const settles = [...this.open.values()];
    this.open.clear();
    for (const settle of settles) settle(error);
  }
}
