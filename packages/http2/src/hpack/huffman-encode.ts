import { huffmanCodeBits, huffmanCodes } from "./huffman-code.ts";

/** Bytes that `text` (latin1) takes once it is Huffman-encoded, padding included. */
export function huffmanEncodedBytes(text: string): number {
  let bits = 0;
  for (let index = 0; index < text.length; index++) {
    bits += huffmanCodeBits[text.charCodeAt(index) & 0xff] as number;
  }
  return (bits + 7) >>> 3;
}

/** Writes `text` (latin1) Huffman-encoded at `offset`; returns the offset after it. */
export function encodeHuffman(text: string, target: Uint8Array, offset: number): number {
  let pending = 0;
  let pendingBits = 0;
  for (let index = 0; index < text.length; index++) {
    const byte = text.charCodeAt(index) & 0xff;
    let code = huffmanCodes[byte] as number;
    let bits = huffmanCodeBits[byte] as number;
    if (bits > 24) {
      // At most 7 bits wait, so 25 more fit into 32; the longest codes go in two pieces.
      pending = (pending << (bits - 24)) | (code >>> 24);
      pendingBits += bits - 24;
      code &= 0xffffff;
      bits = 24;
      while (pendingBits >= 8) {
        pendingBits -= 8;
        target[offset++] = pending >>> pendingBits;
      }
    }
    pending = (pending << bits) | code;
    pendingBits += bits;
    while (pendingBits >= 8) {
      pendingBits -= 8;
      target[offset++] = pending >>> pendingBits;
    }
  }
  if (pendingBits > 0) target[offset++] = (pending << (8 - pendingBits)) | (0xff >>> pendingBits);
  return offset;
}
