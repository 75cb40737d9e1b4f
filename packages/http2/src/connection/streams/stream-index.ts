import type { Stream } from "../../stream/stream.ts";

const minSlots = 16;
const maxSlots = 256;

/**
 * Streams by identifier. Identifiers rise by two and most streams are short, so a ring of slots holds the recent ones;
 * a stream that is still there when its slot is needed again moves to a map.
 *
 * A map alone would do, but with a stream added and removed per call it is rebuilt every few hundred calls, and V8 keeps each
 * discarded table, with what was in it, until the next full collection: half of a busy client's time went there.
 */
export class StreamIndex {
  private slots: (Stream | undefined)[] = [];
  private mask = -1;
  private older: Map<number, Stream> | undefined = undefined;
  private count = 0;

  get size(): number {
    return this.count;
  }

  get(id: number): Stream | undefined {
    const stream = this.slots[(id >>> 1) & this.mask];
    if (stream !== undefined && stream.id === id) return stream;
    return this.older?.get(id);
  }

  add(stream: Stream): void {
    this.count++;
    if (this.mask === -1) this.resize(minSlots);
    let slot = (stream.id >>> 1) & this.mask;
    let occupant = this.slots[slot];
    while (occupant !== undefined && this.slots.length < maxSlots) {
      this.resize(this.slots.length * 2);
      slot = (stream.id >>> 1) & this.mask;
      occupant = this.slots[slot];
    }
    if (occupant !== undefined) this.moveToMap(occupant);
    this.slots[slot] = stream;
  }

  delete(stream: Stream): void {
    const slot = (stream.id >>> 1) & this.mask;
    if (this.slots[slot] === stream) {
      this.slots[slot] = undefined;
      this.count--;
    } else if (this.older?.delete(stream.id) === true) {
      this.count--;
    }
  }

  /** A list of its own, so that what is done to each stream may remove it. */
  all(): Stream[] {
    const streams = this.older === undefined ? [] : [...this.older.values()];
    for (const stream of this.slots) if (stream !== undefined) streams.push(stream);
    return streams;
  }

  private moveToMap(stream: Stream): void {
    this.older ??= new Map();
    this.older.set(stream.id, stream);
  }

  private resize(slots: number): void {
    const streams = this.slots;
    this.slots = new Array<Stream | undefined>(slots).fill(undefined);
    this.mask = slots - 1;
    // Two streams that had slots of their own keep them: the new index ends in the old one's bits.
    for (const stream of streams) if (stream !== undefined) this.slots[(stream.id >>> 1) & this.mask] = stream;
  }
}
