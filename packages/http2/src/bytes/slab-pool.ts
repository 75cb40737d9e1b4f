/** 64 KiB: as much as one read of the peer takes, and room for a turn's answers of a busy connection. */
export const slabBytes = 65_536;

/** 2 MiB in all: enough for the connections that write in one turn; idle connections hold none. */
const maxPooledSlabs = 32;

const pool: Uint8Array[] = [];

/** A slab's content is whatever it last held: only octets written since may be sent. */
export function takeSlab(): Uint8Array {
  return pool.pop() ?? Buffer.allocUnsafeSlow(slabBytes);
}

/** The caller keeps no reference, and nothing handed to a socket still points into the slab. */
export function returnSlab(slab: Uint8Array): void {
  if (pool.length < maxPooledSlabs) pool.push(slab);
}
