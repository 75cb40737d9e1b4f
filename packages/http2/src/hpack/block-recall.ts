import type { HeaderBlock } from "./header-block.ts";

/** A block with a token in it has one to two thousand bytes, and decoding that costs as much as a call. Longer ones are rare. */
const maxBlockBytes = 2048;

/** What a connection keeps at most, whatever its peer sends. */
const maxKeptBytes = 16_384;

/** From this length on a native comparison costs less than a loop. */
const nativelyComparedBytes = 96;

/** V8 keeps arrays of up to this many bytes in the object, which takes less memory than a buffer of their own. */
const maxInObjectBytes = 64;

/** A connection repeats one block per method and few others: mostly one or two in all. */
const minSlots = 4;
const maxSlots = 64;

/** Blocks above twice this are hashed by their two ends: what lies between is compared anyway. */
const hashedEndBytes = 16;

interface Slot {
  hash: number;
  /** A Buffer from where blocks are compared natively. */
  bytes: Uint8Array;
  length: number;
  block: HeaderBlock | undefined;
}

/**
 * Remembers what header blocks were decoded to while the dynamic table does not change: the same bytes then mean the same
 * fields. A direct-mapped table that grows when a block falls on another's slot; from its largest size on, it takes that one's place.
 */
export class BlockRecall {
  private slots: (Slot | undefined)[] = new Array<Slot | undefined>(minSlots).fill(undefined);
  private mask = minSlots - 1;
  /** Whether any slot holds a block of this epoch. */
  private holdsBlocks = false;
  private epoch = 0;
  private lastHash = 0;
  private keptBytes = 0;

  /** What bytes[start, end) was decoded to in this epoch of the dynamic table, if that is remembered. */
  find(bytes: Uint8Array, start: number, end: number, epoch: number): HeaderBlock | undefined {
    if (epoch !== this.epoch) {
      this.forgetAll();
      this.epoch = epoch;
    }
    const length = end - start;
    if (length > maxBlockBytes) return undefined;
    const hash = hashOf(bytes, start, end);
    this.lastHash = hash;
    const slot = this.slots[hash & this.mask];
    if (slot === undefined || slot.length !== length) return undefined;
    return isSame(slot.bytes, bytes, start, length) ? slot.block : undefined;
  }

  /** Remembers the block that `find` has just missed; decoding it must not have changed the dynamic table. */
  remember(bytes: Uint8Array, start: number, end: number, block: HeaderBlock): void {
    const length = end - start;
    if (length > maxBlockBytes) return;
    const slot = this.takeSlot(length);
    const known = slot.bytes;
    for (let at = 0; at < length; at++) known[at] = bytes[start + at] as number;
    slot.length = length;
    slot.block = block;
  }

  private takeSlot(length: number): Slot {
    const hash = this.lastHash;
    let slot = this.slots[hash & this.mask];
    while (slot?.block !== undefined && this.slots.length < maxSlots) {
      this.grow();
      slot = this.slots[hash & this.mask];
    }
    if (slot === undefined || slot.bytes.length < length) {
      const room = roomFor(length);
      if (this.keptBytes + room - (slot?.bytes.length ?? 0) > maxKeptBytes) {
        this.giveUpAll();
        slot = undefined;
      }
      this.keptBytes += room - (slot?.bytes.length ?? 0);
      const known = room <= maxInObjectBytes ? new Uint8Array(room) : Buffer.allocUnsafeSlow(room);
      if (slot === undefined) slot = { hash, bytes: known, length: -1, block: undefined };
      else slot.bytes = known;
      this.slots[hash & this.mask] = slot;
    }
    slot.hash = hash;
    this.holdsBlocks = true;
    return slot;
  }

  /** Twice the slots. Two blocks that had slots of their own keep them: the new index ends in the old one's bits. */
  private grow(): void {
    const { slots } = this;
    this.slots = new Array<Slot | undefined>(2 * slots.length).fill(undefined);
    this.mask = this.slots.length - 1;
    for (const slot of slots) if (slot !== undefined) this.slots[slot.hash & this.mask] = slot;
  }

  /** Drops the blocks at once, not when their slot is needed again: they may hold strings the table has evicted. */
  private forgetAll(): void {
    if (!this.holdsBlocks) return;
    this.holdsBlocks = false;
    for (const slot of this.slots) {
      if (slot === undefined) continue;
      slot.length = -1;
      slot.block = undefined;
    }
  }

  private giveUpAll(): void {
    this.slots.fill(undefined);
    this.keptBytes = 0;
  }
}

/** Whether bytes[start, start + length) are the first bytes of `known`. */
function isSame(known: Uint8Array, bytes: Uint8Array, start: number, length: number): boolean {
  if (length >= nativelyComparedBytes) return (known as Buffer).compare(bytes, start, start + length, 0, length) === 0;
  for (let at = 0; at < length; at++) {
    if (known[at] !== bytes[start + at]) return false;
  }
  return true;
}

/** In steps, so that blocks of about the same length can follow each other in one slot. */
function roomFor(length: number): number {
  return (length + 31) & ~31;
}

function hashOf(bytes: Uint8Array, start: number, end: number): number {
  let hash = end - start;
  if (hash <= 2 * hashedEndBytes) {
    for (let at = start; at < end; at++) hash = Math.imul(hash, 31) + (bytes[at] as number);
  } else {
    for (let at = start; at < start + hashedEndBytes; at++) hash = Math.imul(hash, 31) + (bytes[at] as number);
    for (let at = end - hashedEndBytes; at < end; at++) hash = Math.imul(hash, 31) + (bytes[at] as number);
  }
  return Math.imul(hash, 0x9e3779b1) >>> 26;
}
