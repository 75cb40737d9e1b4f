import { frameHeaderBytes, readUint32, writeFrameHeader, writeUint32 } from "./frame-header.ts";
import { Flag, FrameType } from "./frame-type.ts";

/** RFC 9113 §6.7: eight bytes that mean nothing to the other side. */
export const pingBytes = 8;

/** Our pings carry a 32-bit number in the last four bytes and zeros before, so that an acknowledgement finds its ping. */
export function writePing(target: Uint8Array, offset: number, number: number): number {
  writeFrameHeader(target, offset, pingBytes, FrameType.ping, 0, 0);
  writeUint32(target, offset + frameHeaderBytes, 0);
  writeUint32(target, offset + frameHeaderBytes + 4, number);
  return offset + frameHeaderBytes + pingBytes;
}

/** The number of the ping that an acknowledgement answers, or -1 when we cannot have sent this payload. */
export function pingNumber(bytes: Uint8Array, start: number): number {
  return readUint32(bytes, start) === 0 ? readUint32(bytes, start + 4) : -1;
}

export function writePingAck(target: Uint8Array, offset: number, bytes: Uint8Array, start: number): number {
  writeFrameHeader(target, offset, pingBytes, FrameType.ping, Flag.ack, 0);
  for (let i = 0; i < pingBytes; i++) target[offset + frameHeaderBytes + i] = bytes[start + i] as number;
  return offset + frameHeaderBytes + pingBytes;
}
