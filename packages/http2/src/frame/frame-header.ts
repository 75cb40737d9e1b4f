/** RFC 9113 §4.1: length (24 bits), type (8), flags (8), one reserved bit, stream identifier (31). */
export const frameHeaderBytes = 9;

/** RFC 9113 §6.5.2: what every endpoint accepts, and the largest value that a peer may set. */
export const minMaxFrameBytes = 16_384;
export const maxMaxFrameBytes = 16_777_215;

/** 2^31-1: the largest stream identifier and the largest flow-control window. */
export const maxUint31 = 0x7fff_ffff;

export function writeFrameHeader(
  target: Uint8Array,
  offset: number,
  payloadBytes: number,
  type: number,
  flags: number,
  streamId: number,
): void {
  target[offset] = payloadBytes >>> 16;
  target[offset + 1] = payloadBytes >>> 8;
  target[offset + 2] = payloadBytes;
  target[offset + 3] = type;
  target[offset + 4] = flags;
  writeUint32(target, offset + 5, streamId);
}

export function writeUint32(target: Uint8Array, offset: number, value: number): void {
  target[offset] = value >>> 24;
  target[offset + 1] = value >>> 16;
  target[offset + 2] = value >>> 8;
  target[offset + 3] = value;
}

/** `>>> 0` because a shift by 24 is signed in JavaScript. */
export function readUint32(bytes: Uint8Array, offset: number): number {
  return (
    (((bytes[offset] as number) << 24) |
      ((bytes[offset + 1] as number) << 16) |
      ((bytes[offset + 2] as number) << 8) |
      (bytes[offset + 3] as number)) >>>
    0
  );
}

/** A stream identifier, window increment or GOAWAY id: the reserved bit is ignored (RFC 9113 §4.1). */
export function readUint31(bytes: Uint8Array, offset: number): number {
  return readUint32(bytes, offset) & maxUint31;
}
