import type { BlockCursor } from "./block-cursor.ts";
import { HpackError } from "./hpack-error.ts";
import { decodeHuffman, maxDecodedBytes } from "./huffman-decode.ts";
import { encodeHuffman, huffmanEncodedBytes } from "./huffman-encode.ts";
import { readInteger, writeInteger } from "./integer.ts";
import { readLatin1, writeLatin1 } from "./latin1.ts";

const huffmanFlag = 0x80;
const lengthMask = 0x7f;

/** Decoded Huffman bytes on their way into a string; every string is made before the next one is decoded. */
const scratch = new Uint8Array(4096);

/**
 * Reads a string literal (RFC 7541 §5.2) and leaves its decoded size in `cursor.stringBytes`. A string above `maxBytes`
 * is checked and measured, but not created: the result is undefined then.
 */
export function readString(cursor: BlockCursor, maxBytes: number): string | undefined {
  const { bytes, end } = cursor;
  const isHuffman = cursor.position < end && (bytes[cursor.position] as number) >= huffmanFlag;
  const encodedBytes = readInteger(cursor, lengthMask);
  const start = cursor.position;
  if (encodedBytes > end - start) throw new HpackError("string goes beyond the end of the header block");
  const stop = start + encodedBytes;
  cursor.position = stop;
  if (isHuffman) return readHuffman(cursor, start, stop, maxBytes);
  cursor.stringBytes = encodedBytes;
  return encodedBytes <= maxBytes ? readLatin1(bytes, start, stop) : undefined;
}

function readHuffman(cursor: BlockCursor, start: number, stop: number, maxBytes: number): string | undefined {
  const target = decodeTarget(maxDecodedBytes(stop - start), maxBytes);
  const decodedBytes = decodeHuffman(cursor.bytes, start, stop, target);
  if (decodedBytes < 0) throw new HpackError("string is not a valid Huffman encoding");
  cursor.stringBytes = decodedBytes;
  return decodedBytes <= maxBytes ? readLatin1(target, 0, decodedBytes) : undefined;
}

/** Room for all that could be wanted: the peer's bound on the string or ours, whichever is less. */
function decodeTarget(mostDecodedBytes: number, maxBytes: number): Uint8Array {
  const wantedBytes = Math.min(mostDecodedBytes, maxBytes);
  return wantedBytes <= scratch.length ? scratch : new Uint8Array(wantedBytes);
}

/** Writes `text` (latin1) as a string literal, Huffman-encoded where that is shorter; returns the offset after it. */
export function writeString(text: string, target: Uint8Array, offset: number): number {
  const huffmanBytes = huffmanEncodedBytes(text);
  if (huffmanBytes < text.length) {
    return encodeHuffman(text, target, writeInteger(target, offset, huffmanFlag, lengthMask, huffmanBytes));
  }
  return writePlainString(text, target, offset);
}

/** Writes `text` (latin1) as a string literal of its own bytes. */
export function writePlainString(text: string, target: Uint8Array, offset: number): number {
  const start = writeInteger(target, offset, 0, lengthMask, text.length);
  writeLatin1(text, target, start);
  return start + text.length;
}
