import type { HeaderBlock } from "./header-block.ts";

/** A block with a token in it has one to two thousand octets, and decoding that costs as much as a call. Longer ones are rare. */
const maxBlockBytes = 2048;

/** What a connection keeps at most, whatever its peer sends. */
const maxKeptBytes = 16_384;

/** From this length on a native comparison costs less than a loop. */
const nativelyComparedBytes = 96;

/** A connection repeats one block per method and few others. */
const slotCount = 64;

/** Blocks above twice this are hashed by their two ends: what lies between is compared anyway. */
const hashedEndBytes = 16;

interface Slot {
  octets: Buffer;
  length: number;
  block: HeaderBlock | undefined;
}

/**
 * Remembers what header blocks were decoded to while the dynamic table stands still: the same octets then mean the same
 * fields. A direct-mapped table; a block that falls on another's slot takes its place.
 */
export class BlockRecall {
  private readonly slots: (Slot | undefined)[] = new Array<Slot | undefined>(slotCount).fill(undefined);
  private readonly usedSlots: number[] = [];
  private epoch = 0;
  private lastSlot = 0;
  private keptBytes = 0;

  /** What bytes[start, end) was decoded to in this epoch of the dynamic table, if that is remembered. */
  find(bytes: Uint8Array, start: number, end: number, epoch: number): HeaderBlock | undefined {
    if (epoch !== this.epoch) {
      this.forgetAll();
      this.epoch = epoch;
    }
    const length = end - start;
    if (length > maxBlockBytes) return undefined;
    const index = slotOf(bytes, start, end);
    this.lastSlot = index;
    const slot = this.slots[index];
    if (slot === undefined || slot.length !== length) return undefined;
    return isSame(slot.octets, bytes, start, length) ? slot.block : undefined;
  }

  /** Remembers the block that `find` has just missed; decoding it must not have changed the dynamic table. */
  remember(bytes: Uint8Array, start: number, end: number, block: HeaderBlock): void {
    const length = end - start;
    if (length > maxBlockBytes) return;
    const slot = this.takeSlot(length);
    const octets = slot.octets;
    for (let at = 0; at < length; at++) octets[at] = bytes[start + at] as number;
    slot.length = length;
    slot.block = block;
  }

  private takeSlot(length: number): Slot {
    const index = this.lastSlot;
    let slot = this.slots[index];
    const given = slot?.octets.length ?? 0;
    if (slot === undefined || given < length) {
      const room = roomFor(length);
      if (this.keptBytes - given + room > maxKeptBytes) this.giveUpAll();
      this.keptBytes += room - (this.slots[index]?.octets.length ?? 0);
      slot = { octets: Buffer.allocUnsafeSlow(room), length: -1, block: undefined };
      this.slots[index] = slot;
    }
    if (slot.block === undefined) this.usedSlots.push(index);
    return slot;
  }

  /** Drops the blocks at once, not when their slot is needed again: they may hold strings the table has evicted. */
  private forgetAll(): void {
    for (const index of this.usedSlots) {
      const slot = this.slots[index] as Slot;
      slot.length = -1;
      slot.block = undefined;
    }
    this.usedSlots.length = 0;
  }

  private giveUpAll(): void {
    this.slots.fill(undefined);
    this.usedSlots.length = 0;
    this.keptBytes = 0;
  }
}

/** Whether bytes[start, start + length) are the first octets of `octets`. */
function isSame(octets: Buffer, bytes: Uint8Array, start: number, length: number): boolean {
  if (length >= nativelyComparedBytes) return octets.compare(bytes, start, start + length, 0, length) === 0;
  for (let at = 0; at < length; at++) {
    if (octets[at] !== bytes[start + at]) return false;
  }
  return true;
}

/** In steps, so that blocks of about the same length can follow each other in one slot. */
function roomFor(length: number): number {
  return (length + 31) & ~31;
}

function slotOf(bytes: Uint8Array, start: number, end: number): number {
  let hash = end - start;
  if (hash <= 2 * hashedEndBytes) {
    for (let at = start; at < end; at++) hash = Math.imul(hash, 31) + (bytes[at] as number);
  } else {
    for (let at = start; at < start + hashedEndBytes; at++) hash = Math.imul(hash, 31) + (bytes[at] as number);
    for (let at = end - hashedEndBytes; at < end; at++) hash = Math.imul(hash, 31) + (bytes[at] as number);
  }
  return (Math.imul(hash, 0x9e3779b1) >>> 26) & (slotCount - 1);
}
