/** The bytes as base64, which is text in ASCII. */
export function toBase64({ buffer, byteOffset, length }: Uint8Array): Uint8Array {
  return Buffer.from(Buffer.from(buffer, byteOffset, length).toString("base64"), "latin1");
}
