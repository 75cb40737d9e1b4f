/** The table-driven Huffman decoder agrees with a bit-by-bit decoder, and with the encoder. */
import assert from "node:assert/strict";
import { eosSymbol, huffmanCodeBits, huffmanCodes } from "../../../packages/http2/src/hpack/huffman-code.ts";
import { decodeHuffman, maxDecodedBytes } from "../../../packages/http2/src/hpack/huffman-decode.ts";
import { encodeHuffman, huffmanEncodedBytes } from "../../../packages/http2/src/hpack/huffman-encode.ts";

/** By the code's bits after a leading one, which distinguishes codes of different length. */
const symbols = new Map<number, number>();
for (let symbol = 0; symbol <= eosSymbol; symbol++) {
  symbols.set(2 ** (huffmanCodeBits[symbol] as number) + (huffmanCodes[symbol] as number), symbol);
}

export function fuzz(bytes: Uint8Array): void {
  const room = new Uint8Array(maxDecodedBytes(bytes.length));
  const expected = decodeBits(bytes);
  const size = decodeHuffman(bytes, 0, bytes.length, room);
  assert.equal(size, expected === undefined ? -1 : expected.length);
  if (expected !== undefined) assert.ok(Buffer.from(expected).equals(room.subarray(0, size)));

  // With a smaller output buffer the result is the same, and nothing is written beyond its end.
  const half = new Uint8Array(room.length >>> 1);
  assert.equal(decodeHuffman(bytes, 0, bytes.length, half), size);
  if (size > 0) assert.ok(Buffer.from(half.buffer).equals(room.subarray(0, half.length)));

  const text = Buffer.from(bytes).toString("latin1");
  const encoded = new Uint8Array(huffmanEncodedBytes(text) + 2).fill(0xa5);
  const end = encodeHuffman(text, encoded, 1);
  assert.equal(end, encoded.length - 1);
  assert.ok(encoded[0] === 0xa5 && encoded[end] === 0xa5, "written beyond the end");
  const back = new Uint8Array(bytes.length);
  assert.equal(decodeHuffman(encoded, 1, end, back), bytes.length);
  assert.ok(Buffer.from(back.buffer).equals(bytes));
}

/** RFC 7541 §5.2 literally. Returns undefined if the encoding is invalid. */
function decodeBits(bytes: Uint8Array): number[] | undefined {
  const decoded: number[] = [];
  let code = 1;
  for (const byte of bytes) {
    for (let bit = 7; bit >= 0; bit--) {
      code = 2 * code + ((byte >>> bit) & 1);
      const symbol = symbols.get(code);
      if (symbol === undefined) continue;
      if (symbol === eosSymbol) return undefined;
      decoded.push(symbol);
      code = 1;
    }
  }
  // The padding must be fewer than eight ones.
  return code < 256 && (code & (code + 1)) === 0 ? decoded : undefined;
}

export const maxBytes = 512;
