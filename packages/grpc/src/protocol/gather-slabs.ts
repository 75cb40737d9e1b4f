/**
 * Sizes of the buffers in which messages grow, each four times the one before. A message of 4 MiB passes through all of them; making
 * them again for each message, and having them collected, would cost more than the copies do.
 */
const slabSizes: readonly number[] = [65_536, 262_144, 1_048_576];

/** Kept of each size, in bytes: 3 MiB in all. */
const maxKeptBytes = 1_048_576;

/** A message gets a slab only when it fills at least this share of it: a peer may send a few bytes on every stream, and stop. */
const minFilledShare = 1 / 4;

const kept: readonly Uint8Array[][] = slabSizes.map(() => []);

/** A buffer for `bytes` of a message of `announcedBytes`; undefined when no slab fits. Its content is whatever it last held. */
export function takeGatherSlab(bytes: number, announcedBytes: number): Uint8Array | undefined {
  for (let at = slabSizes.length - 1; at >= 0; at--) {
    const size = slabSizes[at] as number;
    if (size >= announcedBytes || bytes < size * minFilledShare) continue;
    return bytes > size ? undefined : (kept[at]?.pop() ?? new Uint8Array(Buffer.allocUnsafeSlow(size).buffer));
  }
  return undefined;
}

/** Takes a slab back that no one refers to any more; other buffers are left to the garbage collector. */
export function giveGatherSlab(slab: Uint8Array): void {
  const at = slabSizes.indexOf(slab.length);
  if (at === -1) return;
  const slabs = kept[at] as Uint8Array[];
  if (slabs.length * slab.length < maxKeptBytes) slabs.push(slab);
}
