/** What a frame is made of; nothing is checked, so that wrong frames can be built too. */
export interface RawFrame {
  type: number;
  flags?: number;
  streamId?: number;
  payload?: Uint8Array;
  /** The length field. Default: the payload's length. */
  length?: number;
  /** The bit in front of the stream identifier (RFC 9113 §4.1). Default 0. */
  reservedBit?: 0 | 1;
}

const headerBytes = 9;

/** The bytes of one frame (RFC 9113 §4.1). */
export function buildFrame(frame: RawFrame): Buffer {
  const payload = frame.payload ?? new Uint8Array(0);
  const bytes = Buffer.alloc(headerBytes + payload.length);
  bytes.writeUIntBE(frame.length ?? payload.length, 0, 3);
  bytes[3] = frame.type;
  bytes[4] = frame.flags ?? 0;
  bytes.writeUInt32BE((((frame.reservedBit ?? 0) << 31) | (frame.streamId ?? 0)) >>> 0, 5);
  bytes.set(payload, headerBytes);
  return bytes;
}

/** Four bytes, big endian. */
export function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value >>> 0);
  return bytes;
}

/** Puts a pad length before and `padding` zero bytes after the content (RFC 9113 §6.1); undefined adds nothing. */
export function pad(content: Uint8Array, padding: number | undefined): Uint8Array {
  return padding === undefined ? content : Buffer.concat([Buffer.of(padding), content, Buffer.alloc(padding)]);
}
