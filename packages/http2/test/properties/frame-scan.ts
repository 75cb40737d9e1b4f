/** A frame as its header announces it, read without the engine's help. */
export interface ScannedFrame {
  type: number;
  flags: number;
  streamId: number;
  payload: Uint8Array;
}

export interface FrameScan {
  frames: ScannedFrame[];
  /** The bytes end with a frame. */
  isBetweenFrames: boolean;
  /** … and not within a header block. */
  isBetweenBlocks: boolean;
}

const headerBytes = 9;
const headersType = 1;
const continuationType = 9;
const endHeadersFlag = 4;

/** Cuts bytes into frames, caring for nothing but their length (RFC 9113 §4.1). */
export function scanFrames(wire: Uint8Array): FrameScan {
  const frames: ScannedFrame[] = [];
  const bytes = Buffer.from(wire.buffer, wire.byteOffset, wire.length);
  let at = 0;
  let isBetweenBlocks = true;
  while (bytes.length - at >= headerBytes) {
    const end = at + headerBytes + bytes.readUIntBE(at, 3);
    if (end > bytes.length) break;
    const type = bytes[at + 3] as number;
    const flags = bytes[at + 4] as number;
    const payload = bytes.subarray(at + headerBytes, end);
    frames.push({ type, flags, streamId: bytes.readUInt32BE(at + 5) & 0x7fff_ffff, payload });
    if (type === headersType || type === continuationType) isBetweenBlocks = (flags & endHeadersFlag) !== 0;
    at = end;
  }
  return { frames, isBetweenFrames: at === bytes.length, isBetweenBlocks };
}

/** `payload` is eight bytes in hexadecimal digits. */
export function buildPing(payload: string): Buffer {
  return Buffer.concat([Buffer.of(0, 0, 8, 6, 0, 0, 0, 0, 0), Buffer.from(payload, "hex")]);
}
