import assert from "node:assert/strict";
import { test } from "node:test";
import { eosSymbol, huffmanCodeBits, huffmanCodes } from "./huffman-code.ts";
import { decodeHuffman, maxDecodedBytes } from "./huffman-decode.ts";
import { encodeHuffman, huffmanEncodedBytes } from "./huffman-encode.ts";

function encode(text: string): Uint8Array {
  const target = new Uint8Array(huffmanEncodedBytes(text));
  assert.equal(encodeHuffman(text, target, 0), target.length);
  return target;
}

function decode(bytes: Uint8Array): string | undefined {
  const target = new Uint8Array(maxDecodedBytes(bytes.length));
  const length = decodeHuffman(bytes, 0, bytes.length, target);
  return length < 0 ? undefined : Buffer.from(target.subarray(0, length)).toString("latin1");
}

/** Bytes of a string of "0" and "1". */
function bytesOf(bits: string): Uint8Array {
  return Uint8Array.from(bits.match(/.{8}/g) ?? [], (byte) => Number.parseInt(byte, 2));
}

function codeOf(symbol: number): string {
  return (huffmanCodes[symbol] as number).toString(2).padStart(huffmanCodeBits[symbol] as number, "0");
}

/** How many codes of "0", five bits each, make whole bytes together with so many other bits. */
function zerosBefore(bits: number): number {
  let zeros = 1;
  while ((5 * zeros + bits) % 8 !== 0) zeros++;
  return zeros;
}

test("has the codes of RFC 7541 appendix B", () => {
  const known = [
    [0, 0x1ff8],
    [9, 0xffffea],
    [10, 0x3ffffffc],
    [32, 0x14],
    [48, 0x0],
    [97, 0x3],
    [122, 0x7b],
    [127, 0xffffffc],
    [128, 0xfffe6],
    [255, 0x3ffffee],
    [eosSymbol, 0x3fffffff],
  ] as const;
  for (const [symbol, code] of known) assert.equal(huffmanCodes[symbol], code);
});

test("is a complete prefix code", () => {
  assert.equal(huffmanCodeBits.length, 257);
  assert.equal(
    huffmanCodeBits.reduce((sum, bits) => sum + 2 ** -bits, 0),
    1,
  );
});

test("brings every byte back, alone and between others", () => {
  for (let byte = 0; byte < 256; byte++) {
    const symbol = String.fromCharCode(byte);
    for (const text of [symbol, symbol.repeat(9), `a${symbol}Z`, `~${symbol}0`])
      assert.equal(decode(encode(text)), text);
  }
});

test("brings every pair of bytes back", () => {
  for (let first = 0; first < 256; first++) {
    let text = "";
    for (let second = 0; second < 256; second++) text += String.fromCharCode(first, second);
    assert.equal(decode(encode(text)), text);
  }
});

test("takes padding of up to seven one bits", () => {
  for (let padding = 0; padding <= 7; padding++) {
    const zeros = zerosBefore(padding);
    assert.equal(decode(bytesOf(codeOf(48).repeat(zeros) + "1".repeat(padding))), "0".repeat(zeros));
  }
});

test("refuses padding of eight bits and more", () => {
  for (let padding = 8; padding <= 29; padding++) {
    assert.equal(decode(bytesOf(codeOf(48).repeat(zerosBefore(padding)) + "1".repeat(padding))), undefined);
  }
  assert.equal(decode(bytesOf("1".repeat(8))), undefined);
});

test("refuses padding that is not all ones", () => {
  assert.equal(decode(bytesOf(`${codeOf(48)}110`)), undefined);
  assert.equal(decode(bytesOf(`${codeOf(48)}011`)), undefined);
  assert.equal(decode(bytesOf(`${codeOf(48)}111`)), "0");
});

test("refuses EOS, wherever it begins in a byte", () => {
  for (let zeros = 1; zeros <= 8; zeros++) {
    const bits = codeOf(48).repeat(zeros) + codeOf(eosSymbol);
    assert.equal(decode(bytesOf(bits + "1".repeat((8 - (bits.length % 8)) % 8))), undefined);
    const between = bits + codeOf(48).repeat(zerosBefore(bits.length));
    assert.equal(decode(bytesOf(between)), undefined);
  }
});

test("measures what goes beyond the target without writing it", () => {
  const bytes = encode("www.example.com");
  const target = new Uint8Array(4);
  assert.equal(decodeHuffman(bytes, 0, bytes.length, target), 15);
  assert.equal(Buffer.from(target).toString("latin1"), "www.");
});
