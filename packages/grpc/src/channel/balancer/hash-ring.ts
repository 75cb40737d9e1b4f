import { compareHashes, type Hash64, xxh64OfText } from "./xxh64.ts";

/** A place to put on the ring. */
export interface RingMember {
  /** Hashed with a number after it, for each of its entries. */
  readonly hashKey: string;
  /** Positive. */
  readonly weight: number;
}

/** Members at points of a circle of hashes, each at several points, in proportion to its weight (gRFC A42). */
export interface HashRing {
  readonly size: number;
  /** The first entry at or after a hash, around the end. Takes time in proportion to the logarithm of the size. */
  indexOf(high: number, low: number): number;
  /** Which member an entry belongs to: its position in the list that the ring was made of. */
  memberAt(index: number): number;
}

/**
 * Makes a ring of about `minSize` entries: as many as it takes for the lightest member to have a whole number of them, at most
 * `maxSize`. The order of the members makes no difference.
 */
export function createHashRing(members: readonly RingMember[], minSize: number, maxSize: number): HashRing {
  const total = members.reduce((sum, { weight }) => sum + weight, 0);
  const lightest = members.reduce((least, { weight }) => Math.min(least, weight), Number.POSITIVE_INFINITY) / total;
  const scale = Math.min(Math.ceil(lightest * minSize) / lightest, maxSize);

  const entries: (Hash64 & { readonly member: number })[] = [];
  // What a member lacks to a whole number goes to those after it, so that the sum comes out right: in an order of their own,
  // lest the ring depend on the resolver's.
  let target = 0;
  const order = members.map((member, at) => ({ ...member, at })).sort((a, b) => (a.hashKey < b.hashKey ? -1 : 1));
  for (const { hashKey, weight, at } of order) {
    target += (scale * weight) / total;
    for (let i = 0; entries.length < target && entries.length < maxSize; i += 1) {
      const entry = { high: 0, low: 0, member: at };
      xxh64OfText(`${hashKey}_${i}`, entry);
      entries.push(entry);
    }
  }
  entries.sort(compareHashes);

  const size = entries.length;
  const highs = Uint32Array.from(entries, ({ high }) => high);
  const lows = Uint32Array.from(entries, ({ low }) => low);
  const owners = Uint32Array.from(entries, ({ member }) => member);
  return {
    size,
    indexOf(high, low) {
      let [from, to] = [0, size];
      while (from < to) {
        const middle = (from + to) >>> 1;
        const there = highs[middle] as number;
        const isBefore = there < high || (there === high && (lows[middle] as number) < low);
        if (isBefore) from = middle + 1;
        else to = middle;
      }
      return from === size ? 0 : from;
    },
    memberAt: (index) => owners[index] as number,
  };
}
