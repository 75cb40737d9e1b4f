/**
 * Buffers of one size that are used for a moment and then reused by others: allocating one costs more than filling
 * it. A slab's content is whatever it last held, so only bytes written since may be looked at or sent.
 */
export class SlabPool {
  readonly slabBytes: number;
  private readonly maxPooled: number;
  private readonly pooled: Uint8Array[] = [];

  constructor(slabBytes: number, maxPooled: number) {
    this.slabBytes = slabBytes;
    this.maxPooled = maxPooled;
  }

  take(): Uint8Array {
    return this.pooled.pop() ?? Buffer.allocUnsafeSlow(this.slabBytes);
  }

  /** Takes back a slab that nothing refers to any more; buffers of another size are left to the garbage collector. */
  give(slab: Uint8Array): void {
    if (slab.length === this.slabBytes && this.pooled.length < this.maxPooled) this.pooled.push(slab);
  }
}

/**
 * For what connections send in a turn. 64 KiB: as much as one read of the peer takes. 2 MiB in all: enough for the
 * connections that write in one turn; idle connections hold none.
 */
export const outputSlabs = new SlabPool(65_536, 32);

/** For frames that the end of a chunk cut off: the largest payload that peers may send unless SETTINGS say otherwise. */
export const frameSlabs = new SlabPool(16_384, 32);
