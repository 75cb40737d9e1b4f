import type { Random } from "../../harness/random.ts";

/** Values at which code often branches. */
const edgeBytes = [0, 1, 2, 4, 5, 8, 9, 16, 31, 32, 63, 64, 127, 128, 129, 254, 255];
const edgeNumbers = [
  0, 1, 4, 5, 8, 127, 128, 255, 256, 16_383, 16_384, 16_385, 65_535, 65_536, 0x7fff_ffff, 0xffff_ffff,
];

const maxRun = 64;

/** Changes a copy of `input` in one to eight places, with pieces of `others` and words of `dictionary`. */
export function mutate(
  input: Uint8Array,
  others: readonly Uint8Array[],
  dictionary: readonly Uint8Array[],
  maxBytes: number,
  random: Random,
): Uint8Array {
  let bytes: Uint8Array = Uint8Array.from(input);
  for (let changes = 1 << random.below(4); changes > 0; changes--) {
    bytes = change(bytes, others, dictionary, random);
  }
  return bytes.length > maxBytes ? bytes.subarray(0, maxBytes) : bytes;
}

function change(
  bytes: Uint8Array,
  others: readonly Uint8Array[],
  dictionary: readonly Uint8Array[],
  random: Random,
): Uint8Array {
  const at = random.below(bytes.length + 1);
  if (bytes.length === 0) return splice(bytes, 0, 0, noise(random));
  const inside = Math.min(at, bytes.length - 1);
  switch (random.below(13)) {
    case 0:
      bytes[inside] = (bytes[inside] as number) ^ (1 << random.below(8));
      return bytes;
    case 1:
      bytes[inside] = random.below(256);
      return bytes;
    case 2:
      bytes[inside] = random.pick(edgeBytes);
      return bytes;
    case 3:
      bytes[inside] = (bytes[inside] as number) + random.below(33) - 16;
      return bytes;
    case 4:
      return splice(bytes, at, random.below(maxRun), none);
    case 5:
      return splice(bytes, at, 0, noise(random));
    case 6:
      return splice(bytes, at, 0, piece(bytes, random));
    case 7: {
      const copied = piece(bytes, random);
      return splice(bytes, at, copied.length, copied);
    }
    case 8:
      return splice(bytes, at, 0, piece(random.pick(others), random));
    case 9: {
      const other = random.pick(others);
      return splice(bytes, at, bytes.length, other.subarray(random.below(other.length + 1)));
    }
    case 10:
      return number(bytes, inside, random);
    case 11:
      return splice(bytes, at, 0, dictionary.length === 0 ? noise(random) : random.pick(dictionary));
    default: {
      const word = dictionary.length === 0 ? noise(random) : random.pick(dictionary);
      return splice(bytes, at, word.length, word);
    }
  }
}

const none = new Uint8Array(0);

function noise(random: Random): Uint8Array {
  return Uint8Array.from({ length: 1 + random.below(8) }, () => random.below(256));
}

function piece(from: Uint8Array, random: Random): Uint8Array {
  const start = random.below(from.length + 1);
  return from.slice(start, start + random.below(maxRun));
}

function splice(bytes: Uint8Array, at: number, remove: number, insert: Uint8Array): Uint8Array {
  const rest = bytes.subarray(Math.min(at + remove, bytes.length));
  const out = new Uint8Array(at + insert.length + rest.length);
  out.set(bytes.subarray(0, at));
  out.set(insert, at);
  out.set(rest, at + insert.length);
  return out;
}

/** Writes a big-endian number of one to four bytes. */
function number(bytes: Uint8Array, at: number, random: Random): Uint8Array {
  let value = random.pick(edgeNumbers);
  for (let byte = Math.min(at + random.below(4), bytes.length - 1); byte >= at; byte--) {
    bytes[byte] = value;
    value = Math.floor(value / 256);
  }
  return bytes;
}
