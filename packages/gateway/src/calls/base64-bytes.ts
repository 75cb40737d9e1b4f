/** Encodes bytes as base64, in ASCII bytes. */
export function toBase64({ buffer, byteOffset, length }: Uint8Array): Uint8Array {
  return Buffer.from(Buffer.from(buffer, byteOffset, length).toString("base64"), "latin1");
}
