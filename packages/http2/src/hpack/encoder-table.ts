import { entryOverheadBytes } from "./dynamic-table.ts";
import { type IndexingPolicy, indexingPolicyFor } from "./indexing-policy.ts";
import { staticEntriesByName, staticIndexByName, staticTableLength } from "./static-table.ts";

/** Names remembered while no entry has them. Applications use a few dozen; a proxy's peers may make up any number. */
const maxRememberedNames = 256;
const maxRememberedNameBytes = 64;

/** Enough for the repeated fields of most servers. */
const initialSlots = 4;
const noEntry = -1;

/** What the encoder knows about a field name. */
export interface NameRecord {
  readonly name: string;
  readonly policy: IndexingPolicy;
  /** Lowest index of the name in the static table, 0 when it is not there. */
  readonly staticIndex: number;
  /** By value: -index of each entry in the static table; undefined when the name is not there. */
  readonly staticEntries: ReadonlyMap<string, number> | undefined;
  /** Number of the newest dynamic entry with this name, or -1. */
  newestEntry: number;
  /** By value: the numbers of the older ones. Most names have none, and no map. */
  olderEntries: Map<string, number> | undefined;
  /** Insertions since an entry of this name was last used. */
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
  /** Bytes held, each entry's overhead included. */
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

  /** Number of the dynamic entry with this name and value, or -index of the static one; undefined when there is neither. */
  entryOf(record: NameRecord, value: string): number | undefined {
    const { newestEntry } = record;
    if (newestEntry >= 0 && this.valueOf(newestEntry) === value) return newestEntry;
    return record.olderEntries?.get(value) ?? record.staticEntries?.get(value);
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
    if (record.newestEntry >= 0) {
      record.olderEntries ??= new Map();
      record.olderEntries.set(this.valueOf(record.newestEntry), record.newestEntry);
    }
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
      if (record.newestEntry !== number) {
        record.olderEntries?.delete(value);
        continue;
      }
      record.newestEntry = noEntry;
      if (!record.isRemembered) this.records.delete(record.name);
    }
  }

  private valueOf(entry: number): string {
    return (this.slots[entry & this.mask] as Entry).value;
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
    const record: NameRecord = {
      name,
      policy: indexingPolicyFor(name, this.unindexedNames),
      staticIndex: staticIndexByName.get(name) ?? 0,
      staticEntries: staticEntriesByName.get(name),
      newestEntry: noEntry,
      olderEntries: undefined,
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
