import { entryOverheadBytes } from "./dynamic-table.ts";
import { type IndexingPolicy, indexingPolicyFor } from "./indexing-policy.ts";
import { staticIndexByName, staticNames, staticTableLength, staticValues } from "./static-table.ts";

/** Names remembered while no entry has them. Applications use a few dozen; a proxy's peers may make up any number. */
const maxRememberedNames = 256;
const maxRememberedNameBytes = 64;

const initialSlots = 16;
const noEntry = -1;

/** What the encoder knows about a field name. */
export interface NameRecord {
  readonly name: string;
  readonly policy: IndexingPolicy;
  /** Lowest index of the name in the static table, 0 when it is not there. */
  readonly staticIndex: number;
  /** By value: the number of the dynamic entry, or -index of the static one. */
  readonly entries: Map<string, number>;
  /** Number of the newest dynamic entry with this name, or -1. */
  newestEntry: number;
  /** Insertions since an entry of this name was last of use. */
  fruitlessInsertions: number;
  /** Stays known when its last entry is evicted. */
  readonly isRemembered: boolean;
}

interface Entry {
  record: NameRecord;
  value: string;
}

/**
 * The encoder's half of the dynamic table. Entries are numbered in the order of their insertion: the number stays while
 * the index moves, so the maps never need an update but for the entry that comes or goes.
 */
export class EncoderTable {
  private readonly records = new Map<string, NameRecord>();
  private readonly unindexedNames: readonly string[];
  private rememberedNames = 0;
  private slots: (Entry | undefined)[] = new Array<Entry | undefined>(initialSlots).fill(undefined);
  private mask = initialSlots - 1;
  /** Number that the next entry gets. */
  private nextEntry = 0;
  private oldestEntry = 0;
  /** Octets held, each entry's overhead included. */
  bytes = 0;
  maxBytes: number;
  /** Rises whenever an index may come to mean something else. */
  epoch = 0;

  constructor(maxBytes: number, unindexedNames: readonly string[]) {
    this.unindexedNames = unindexedNames;
    this.maxBytes = maxBytes;
  }

  /** The record of a name; one that belongs to no entry may be forgotten again. */
  recordOf(name: string): NameRecord {
    return this.records.get(name) ?? this.createRecord(name);
  }

  /** Index of the dynamic entry of that number. */
  indexOf(entry: number): number {
    return staticTableLength + this.nextEntry - entry;
  }

  /** Inserts a field that is not in the table and not above its size. */
  insert(record: NameRecord, value: string): void {
    this.epoch++;
    const entryBytes = record.name.length + value.length + entryOverheadBytes;
    this.evictDownTo(this.maxBytes - entryBytes);
    if (this.nextEntry - this.oldestEntry > this.mask) this.grow();
    const number = this.nextEntry++;
    this.slots[number & this.mask] = { record, value };
    this.bytes += entryBytes;
    record.entries.set(value, number);
    record.newestEntry = number;
    if (!record.isRemembered) this.records.set(record.name, record);
  }

  resize(maxBytes: number): void {
    this.epoch++;
    this.maxBytes = maxBytes;
    this.evictDownTo(maxBytes);
  }

  private evictDownTo(bytes: number): void {
    while (this.bytes > bytes) {
      const number = this.oldestEntry++;
      const slot = number & this.mask;
      const { record, value } = this.slots[slot] as Entry;
      this.slots[slot] = undefined;
      this.bytes -= record.name.length + value.length + entryOverheadBytes;
      record.entries.delete(value);
      if (record.newestEntry !== number) continue;
      record.newestEntry = noEntry;
      if (!record.isRemembered) this.records.delete(record.name);
    }
  }

  private grow(): void {
    const mask = 2 * this.mask + 1;
    const slots = new Array<Entry | undefined>(mask + 1).fill(undefined);
    for (let number = this.oldestEntry; number < this.nextEntry; number++) {
      slots[number & mask] = this.slots[number & this.mask];
    }
    this.slots = slots;
    this.mask = mask;
  }

  private createRecord(name: string): NameRecord {
    const isRemembered = this.rememberedNames < maxRememberedNames && name.length <= maxRememberedNameBytes;
    const staticIndex = staticIndexByName.get(name) ?? 0;
    const record: NameRecord = {
      name,
      policy: indexingPolicyFor(name, this.unindexedNames),
      staticIndex,
      entries: staticEntries(name, staticIndex),
      newestEntry: noEntry,
      fruitlessInsertions: 0,
      isRemembered,
    };
    if (isRemembered) {
      this.rememberedNames++;
      this.records.set(name, record);
    }
    return record;
  }
}

/** Values that the static table has for a name, which stand side by side there. */
function staticEntries(name: string, staticIndex: number): Map<string, number> {
  const entries = new Map<string, number>();
  if (staticIndex === 0) return entries;
  for (let index = staticIndex; staticNames[index] === name; index++)
    entries.set(staticValues[index] as string, -index);
  return entries;
}
