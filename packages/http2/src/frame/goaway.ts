import { frameHeaderBytes, readUint31, readUint32, writeFrameHeader, writeUint32 } from "./frame-header.ts";
import { FrameType } from "./frame-type.ts";

/** RFC 9113 §6.8: last stream identifier (4), error code (4), then debug data. */
export const goawayFixedBytes = 8;

export interface Goaway {
  lastStreamId: number;
  code: number;
  /** At most `maxDebugBytes` bytes, as text in which everything but printable ASCII is escaped: it goes into logs. */
  debug: string;
}

const maxDebugBytes = 256;

export function readGoaway(bytes: Uint8Array, start: number, end: number): Goaway {
  let debug = "";
  const debugEnd = Math.min(end, start + goawayFixedBytes + maxDebugBytes);
  for (let at = start + goawayFixedBytes; at < debugEnd; at++) {
    const byte = bytes[at] as number;
    debug +=
      byte >= 0x20 && byte < 0x7f && byte !== 0x5c
        ? String.fromCharCode(byte)
        : `\\x${byte.toString(16).padStart(2, "0")}`;
  }
  return { lastStreamId: readUint31(bytes, start), code: readUint32(bytes, start + 4), debug };
}

/** The text with the debug data of the peer's GOAWAY, where it has any. */
export function withDebugData(text: string, { debug }: Goaway): string {
  return debug === "" ? text : `${text}: ${debug}`;
}

/** `debug` is ASCII. */
export function goawayFrameBytes(debug: string): number {
  return frameHeaderBytes + goawayFixedBytes + debug.length;
}

export function writeGoaway(
  target: Uint8Array,
  offset: number,
  lastStreamId: number,
  code: number,
  debug: string,
): number {
  writeFrameHeader(target, offset, goawayFixedBytes + debug.length, FrameType.goaway, 0, 0);
  writeUint32(target, offset + frameHeaderBytes, lastStreamId);
  writeUint32(target, offset + frameHeaderBytes + 4, code);
  let at = offset + frameHeaderBytes + goawayFixedBytes;
  for (let i = 0; i < debug.length; i++) target[at++] = debug.charCodeAt(i);
  return at;
}
