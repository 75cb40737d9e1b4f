import { frameHeaderBytes, writeFrameHeader, writeUint32 } from "./frame-header.ts";
import { FrameType } from "./frame-type.ts";

/** RFC 9113 §6.9: one reserved bit and the increment. */
export const windowUpdateBytes = 4;

export function writeWindowUpdate(target: Uint8Array, offset: number, streamId: number, increment: number): number {
  writeFrameHeader(target, offset, windowUpdateBytes, FrameType.windowUpdate, 0, streamId);
  writeUint32(target, offset + frameHeaderBytes, increment);
  return offset + frameHeaderBytes + windowUpdateBytes;
}
