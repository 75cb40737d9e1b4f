import { frameHeaderBytes, writeFrameHeader, writeUint32 } from "./frame-header.ts";
import { FrameType } from "./frame-type.ts";

/** RFC 9113 §6.4: an error code. */
export const rstStreamBytes = 4;

export function writeRstStream(target: Uint8Array, offset: number, streamId: number, code: number): number {
  writeFrameHeader(target, offset, rstStreamBytes, FrameType.rstStream, 0, streamId);
  writeUint32(target, offset + frameHeaderBytes, code);
  return offset + frameHeaderBytes + rstStreamBytes;
}
