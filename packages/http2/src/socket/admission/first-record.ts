/** RFC 8446 §5.1: content type, version and length come before a record's fragment. */
const recordHeaderBytes = 5;
const handshakeType = 22;
const maxFragmentBytes = 16_384;

/** A client sends nothing after its first record before the server has answered. */
export const maxFirstRecordBytes: number = recordHeaderBytes + maxFragmentBytes;

/**
 * Whether TLS can work on these bytes, the first of a client: its first record is complete, or the bytes are not a TLS handshake, which
 * TLS finds out at once.
 */
export function hasFirstRecord(bytes: Uint8Array): boolean {
  if (bytes.length === 0) return false;
  if (bytes[0] !== handshakeType) return true;
  if (bytes.length < recordHeaderBytes) return false;
  const fragmentBytes = ((bytes[3] as number) << 8) | (bytes[4] as number);
  return fragmentBytes > maxFragmentBytes || bytes.length >= recordHeaderBytes + fragmentBytes;
}
