/** The end-of-string symbol (RFC 7541 §5.2): never sent, but its first bits pad the last byte. */
export const eosSymbol = 256;

/**
 * RFC 7541 Appendix B: bits of the code of each byte and, last, of EOS. The code is canonical, with shorter codes first
 * and equal lengths in the order of the symbols, so the lengths say everything.
 */
// biome-ignore format: sixteen symbols to a row, as the bytes' hex digits
export const huffmanCodeBits = Uint8Array.of(
  13, 23, 28, 28, 28, 28, 28, 28, 28, 24, 30, 28, 28, 30, 28, 28,
  28, 28, 28, 28, 28, 28, 30, 28, 28, 28, 28, 28, 28, 28, 28, 28,
  6, 10, 10, 12, 13, 6, 8, 11, 10, 10, 8, 11, 8, 6, 6, 6,
  5, 5, 5, 6, 6, 6, 6, 6, 6, 6, 7, 8, 15, 6, 12, 10,
  13, 6, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7,
  7, 7, 7, 7, 7, 7, 7, 7, 8, 7, 8, 13, 19, 13, 14, 6,
  15, 5, 6, 5, 6, 5, 6, 6, 6, 5, 7, 7, 6, 6, 6, 5,
  6, 7, 6, 5, 5, 6, 7, 7, 7, 7, 7, 15, 11, 14, 13, 28,
  20, 22, 20, 20, 22, 22, 22, 23, 22, 23, 23, 23, 23, 23, 24, 23,
  24, 24, 22, 23, 24, 23, 23, 23, 23, 21, 22, 23, 22, 23, 23, 24,
  22, 21, 20, 22, 22, 23, 23, 21, 23, 22, 22, 24, 21, 22, 23, 23,
  21, 21, 22, 21, 23, 22, 23, 23, 20, 22, 22, 22, 23, 22, 22, 23,
  26, 26, 20, 19, 22, 23, 22, 25, 26, 26, 26, 27, 27, 26, 24, 25,
  19, 21, 26, 27, 27, 26, 27, 24, 21, 21, 26, 26, 28, 27, 27, 27,
  20, 24, 20, 21, 22, 21, 21, 23, 22, 22, 25, 25, 24, 24, 26, 23,
  26, 27, 26, 26, 27, 27, 27, 27, 27, 28, 27, 27, 27, 27, 27, 26,
  30,
);

/** The longest code is that of the end-of-string symbol. */
const maxCodeBits = 30;

/** The code of each symbol, right-aligned. */
export const huffmanCodes: Uint32Array = canonicalCodes(huffmanCodeBits);

function canonicalCodes(codeBits: Uint8Array): Uint32Array {
  const counts = new Uint32Array(maxCodeBits + 1);
  for (const bits of codeBits) counts[bits] = (counts[bits] as number) + 1;
  // The first code of each length follows from the last one that is shorter by a bit.
  const next = new Uint32Array(maxCodeBits + 1);
  for (let bits = 1; bits <= maxCodeBits; bits++) {
    next[bits] = ((next[bits - 1] as number) + (counts[bits - 1] as number)) << 1;
  }
  return Uint32Array.from(codeBits, (bits) => {
    const code = next[bits] as number;
    next[bits] = code + 1;
    return code;
  });
}
