import { frameHeaderBytes, writeFrameHeader } from "./frame-header.ts";
import { Flag, FrameType } from "./frame-type.ts";

/** RFC 9113 §6.1. Writes only the frame header; the payload follows it, or is written as a separate buffer. */
export function writeDataHeader(
  target: Uint8Array,
  offset: number,
  streamId: number,
  payloadBytes: number,
  endStream: boolean,
): number {
  writeFrameHeader(target, offset, payloadBytes, FrameType.data, endStream ? Flag.endStream : 0, streamId);
  return offset + frameHeaderBytes;
}
