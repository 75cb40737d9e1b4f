import { eosSymbol, huffmanCodeBits, huffmanCodes } from "./huffman-code.ts";

/**
 * The code tree as a machine that takes a whole byte per step. A state is an inner node of the tree, of which there are
 * 256. Codes have five bits or more, so a byte completes two symbols at most. One step is packed as
 *
 *   bit 31 EOS reached | 24-25 symbols completed | 16-23 second symbol | 8-15 first symbol | 0-7 next state
 */
const steps = new Int32Array(256 * 256);
/** No step is packed as 0: either it completes a symbol, or its next state is below the root. A step is computed when it is first taken. */
const unknownStep = 0;
/** See `buildTree`; undefined before the first string. */
let tree: Int32Array | undefined;

/**
 * The states are numbered so that 0 to 7 are the nodes reached by that many one bits. A string may end only there: what
 * is left over is then padding of at most seven bits, a prefix of EOS (RFC 7541 §5.2).
 */
const maxPaddingState = 7;

/** No code is shorter than five bits. */
export function maxDecodedBytes(encodedBytes: number): number {
  return Math.floor((encodedBytes * 8) / 5);
}

/**
 * Decodes bytes[start, end) into `target` and returns the decoded size, or -1 when the bytes are not a valid encoding.
 * What goes beyond the target's end is checked and counted, but not written.
 */
export function decodeHuffman(bytes: Uint8Array, start: number, end: number, target: Uint8Array): number {
  const room = target.length;
  let written = 0;
  let state = 0;
  for (let position = start; position < end; position++) {
    const byte = bytes[position] as number;
    let step = steps[(state << 8) | byte] as number;
    if (step === unknownStep) step = computeStep(state, byte);
    if (step < 0) return -1;
    state = step & 0xff;
    const symbols = step >> 24;
    if (symbols !== 0) {
      if (written < room) target[written] = step >> 8;
      written++;
      if (symbols === 2) {
        if (written < room) target[written] = step >> 16;
        written++;
      }
    }
  }
  return state <= maxPaddingState ? written : -1;
}

/** Children of inner node `n` at 2n and 2n + 1: an inner node's number, or -1 - symbol. */
function buildTree(): Int32Array {
  const children = new Int32Array(512);
  let nodes = 1;
  // EOS comes first: its code is all ones, which gives the nodes on its way the numbers from 0 up.
  for (let symbol = eosSymbol; symbol >= 0; symbol--) {
    const bits = huffmanCodeBits[symbol] as number;
    const code = huffmanCodes[symbol] as number;
    let node = 0;
    for (let shift = bits - 1; shift > 0; shift--) {
      const slot = 2 * node + ((code >>> shift) & 1);
      if (children[slot] === 0) children[slot] = nodes++;
      node = children[slot] as number;
    }
    children[2 * node + (code & 1)] = -1 - symbol;
  }
  return children;
}

function computeStep(state: number, byte: number): number {
  tree ??= buildTree();
  const step = packStep(tree, state, byte);
  steps[(state << 8) | byte] = step;
  return step;
}

function packStep(children: Int32Array, state: number, byte: number): number {
  let node = state;
  let symbols = 0;
  let packed = 0;
  for (let shift = 7; shift >= 0; shift--) {
    const child = children[2 * node + ((byte >>> shift) & 1)] as number;
    if (child >= 0) {
      node = child;
      continue;
    }
    const symbol = -1 - child;
    if (symbol === eosSymbol) return -1;
    packed |= symbol << (symbols === 0 ? 8 : 16);
    symbols++;
    node = 0;
  }
  return packed | (symbols << 24) | node;
}
