// XXH64 (github.com/Cyan4973/xxHash, doc/xxhash_spec.md), which gRPC's ring_hash and random_subsetting name. In two halves of
// 32 bits, because BigInt would allocate at every step and the hash is made for every call.

/** Unsigned, both halves. */
export interface Hash64 {
  high: number;
  low: number;
}

/** The halves of the five primes, high before low. */
const [p1h, p1l] = [0x9e3779b1, 0x85ebca87];
const [p2h, p2l] = [0xc2b2ae3d, 0x27d4eb4f];
const [p3h, p3l] = [0x165667b1, 0x9e3779f9];
const [p4h, p4l] = [0x85ebca77, 0xc2b2ae63];
const [p5h, p5l] = [0x27d4eb2f, 0x165667c5];

const stripeBytes = 32;

/** The value that each step below works on. */
let h = 0;
let l = 0;

function add(high: number, low: number): void {
  const sum = (l >>> 0) + (low >>> 0);
  h = (h + high + (sum > 0xffff_ffff ? 1 : 0)) | 0;
  l = sum | 0;
}

function multiply(high: number, low: number): void {
  const [a0, a1, b0, b1] = [l & 0xffff, l >>> 16, low & 0xffff, low >>> 16];
  const low00 = a0 * b0;
  const cross01 = a0 * b1;
  const cross10 = a1 * b0;
  const middle = (low00 >>> 16) + (cross01 & 0xffff) + (cross10 & 0xffff);
  const carried = a1 * b1 + (cross01 >>> 16) + (cross10 >>> 16) + (middle >>> 16);
  h = (carried + Math.imul(h, low) + Math.imul(l, high)) | 0;
  l = ((middle & 0xffff) << 16) | (low00 & 0xffff);
}

/** By 1 to 31 bits. */
function rotateLeft(bits: number): void {
  const high = (h << bits) | (l >>> (32 - bits));
  l = (l << bits) | (h >>> (32 - bits));
  h = high;
}

function xorShiftRight(bits: number): void {
  if (bits >= 32) {
    l ^= h >>> (bits - 32);
  } else {
    const shiftedLow = (l >>> bits) | (h << (32 - bits));
    h ^= h >>> bits;
    l ^= shiftedLow;
  }
}

function readLittleEndian(bytes: Uint8Array, at: number): number {
  return (
    (bytes[at] as number) |
    ((bytes[at + 1] as number) << 8) |
    ((bytes[at + 2] as number) << 16) |
    ((bytes[at + 3] as number) << 24)
  );
}

/** round(0, lane): the lane that begins at `at`, mixed on its own. */
function mixLane(bytes: Uint8Array, at: number): void {
  l = readLittleEndian(bytes, at);
  h = readLittleEndian(bytes, at + 4);
  multiply(p2h, p2l);
  rotateLeft(31);
  multiply(p1h, p1l);
}

/** The four accumulators, high and low halves in turn. */
const lanes = new Int32Array(8);

function seedLane(lane: number, high: number, low: number): void {
  lanes[lane * 2] = high;
  lanes[lane * 2 + 1] = low;
}

function accumulate(lane: number, bytes: Uint8Array, at: number): void {
  l = readLittleEndian(bytes, at);
  h = readLittleEndian(bytes, at + 4);
  multiply(p2h, p2l);
  add(lanes[lane * 2] as number, lanes[lane * 2 + 1] as number);
  rotateLeft(31);
  multiply(p1h, p1l);
  seedLane(lane, h, l);
}

function mergeLane(lane: number): void {
  const [high, low] = [h, l];
  h = lanes[lane * 2] as number;
  l = lanes[lane * 2 + 1] as number;
  multiply(p2h, p2l);
  rotateLeft(31);
  multiply(p1h, p1l);
  h ^= high;
  l ^= low;
  multiply(p1h, p1l);
  add(p4h, p4l);
}

/** Hashes the first `length` bytes into `into`. Allocates nothing. */
export function xxh64(bytes: Uint8Array, length: number, seed: Readonly<Hash64>, into: Hash64): void {
  let at = 0;
  if (length >= stripeBytes) {
    hashStripes(bytes, length, seed);
    at = length - (length % stripeBytes);
  } else {
    h = seed.high | 0;
    l = seed.low | 0;
    add(p5h, p5l);
  }
  add(0, length);
  for (; at + 8 <= length; at += 8) {
    const [high, low] = [h, l];
    mixLane(bytes, at);
    h ^= high;
    l ^= low;
    rotateLeft(27);
    multiply(p1h, p1l);
    add(p4h, p4l);
  }
  if (at + 4 <= length) {
    const [high, low] = [h, l];
    h = 0;
    l = readLittleEndian(bytes, at);
    multiply(p1h, p1l);
    h ^= high;
    l ^= low;
    rotateLeft(23);
    multiply(p2h, p2l);
    add(p3h, p3l);
    at += 4;
  }
  for (; at < length; at += 1) {
    const [high, low] = [h, l];
    h = 0;
    l = bytes[at] as number;
    multiply(p5h, p5l);
    h ^= high;
    l ^= low;
    rotateLeft(11);
    multiply(p1h, p1l);
  }
  xorShiftRight(33);
  multiply(p2h, p2l);
  xorShiftRight(29);
  multiply(p3h, p3l);
  xorShiftRight(32);
  into.high = h >>> 0;
  into.low = l >>> 0;
}

function hashStripes(bytes: Uint8Array, length: number, seed: Readonly<Hash64>): void {
  h = seed.high | 0;
  l = seed.low | 0;
  seedLane(2, h, l);
  add(p2h, p2l);
  seedLane(1, h, l);
  add(p1h, p1l);
  seedLane(0, h, l);
  h = seed.high | 0;
  l = seed.low | 0;
  // Minus the first prime: plus its complement of two.
  add(~p1h, -p1l | 0);
  seedLane(3, h, l);
  for (let at = 0; at + stripeBytes <= length; at += stripeBytes) {
    for (let lane = 0; lane < 4; lane += 1) accumulate(lane, bytes, at + lane * 8);
  }
  const rotations = [1, 7, 12, 18] as const;
  let [high, low] = [0, 0];
  for (let lane = 0; lane < 4; lane += 1) {
    h = lanes[lane * 2] as number;
    l = lanes[lane * 2 + 1] as number;
    rotateLeft(rotations[lane] as number);
    add(high, low);
    [high, low] = [h, l];
  }
  for (let lane = 0; lane < 4; lane += 1) mergeLane(lane);
}

const noSeed: Readonly<Hash64> = { high: 0, low: 0 };
const encoder = new TextEncoder();
let scratch = new Uint8Array(256);

/** Hashes a text in UTF-8. Allocates only for a text that is longer than any before it. */
export function xxh64OfText(text: string, into: Hash64, seed: Readonly<Hash64> = noSeed): void {
  // A character takes at most three bytes for each of its UTF-16 units.
  if (text.length * 3 > scratch.length) scratch = new Uint8Array(text.length * 3);
  let isAscii = true;
  for (let i = 0; i < text.length; i += 1) {
    const unit = text.charCodeAt(i);
    if (unit > 0x7f) {
      isAscii = false;
      break;
    }
    scratch[i] = unit;
  }
  const length = isAscii ? text.length : encoder.encodeInto(text, scratch).written;
  xxh64(scratch, length, seed, into);
}

/** As sort functions want it. */
export function compareHashes(a: Readonly<Hash64>, b: Readonly<Hash64>): number {
  return a.high - b.high || a.low - b.low;
}
