import { outputSlabs } from "./slab-pool.ts";

const empty = new Uint8Array(0);

/**
 * Collects what a connection sends in one turn. Small things are written side by side into a slab; a large payload is
 * taken as the buffer it came in.
 *
 *   slab:  [ written … | cut | written … | room ]      parts: [ slab[0, cut), payload, … ]
 */
export class OutputArena {
  bytes: Uint8Array = empty;
  /** Where the next byte goes in `bytes`. */
  length = 0;
  private cutAt = 0;
  private parts: Uint8Array[] = [];
  private partBytes = 0;
  /** Slabs that were full before the one at hand, and hold a part of what was collected. Undefined while there are none. */
  private full: Uint8Array[] | undefined = undefined;

  /** Bytes that wait to be handed to the socket. */
  get pendingBytes(): number {
    return this.partBytes + this.length - this.cutAt;
  }

  /** What fits after what was written without another slab. */
  get room(): number {
    return this.bytes.length - this.length;
  }

  /** Makes room for `bytes` side by side and returns where they go; `length` has to be moved on once they are written. */
  reserve(bytes: number): number {
    if (this.length + bytes > this.bytes.length) this.nextSlab(bytes);
    return this.length;
  }

  /** Hands on `payload` without a copy: its owner must not change it any more. */
  append(payload: Uint8Array): void {
    this.cut();
    this.parts.push(payload);
    this.partBytes += payload.length;
  }

  /** Takes out everything collected. The bytes stay in place until `recycle`, or until the slabs that `detach` returns are given back. */
  take(): readonly Uint8Array[] {
    this.cut();
    const parts = this.parts;
    this.parts = [];
    this.partBytes = 0;
    return parts;
  }

  /** What was taken out has left for the kernel: the next writer can fill the slabs from their beginning. */
  recycle(): void {
    for (const slab of this.detach()) outputSlabs.give(slab);
  }

  /** What was taken out is still on its way: the slabs belong to the socket until that says otherwise. */
  detach(): Uint8Array[] {
    const slabs = this.full ?? [];
    slabs.push(this.bytes);
    this.full = undefined;
    this.bytes = empty;
    this.length = 0;
    this.cutAt = 0;
    return slabs;
  }

  private cut(): void {
    if (this.length === this.cutAt) return;
    const part = this.bytes.subarray(this.cutAt, this.length);
    this.parts.push(part);
    this.partBytes += part.length;
    this.cutAt = this.length;
  }

  private nextSlab(bytes: number): void {
    this.cut();
    if (this.length > 0) {
      this.full ??= [];
      this.full.push(this.bytes);
    }
    this.bytes = bytes > outputSlabs.slabBytes ? Buffer.allocUnsafeSlow(bytes) : outputSlabs.take();
    this.length = 0;
    this.cutAt = 0;
  }
}
