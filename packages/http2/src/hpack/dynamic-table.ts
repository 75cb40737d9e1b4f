/** What an entry costs in addition to its bytes (RFC 7541 §4.1). */
export const entryOverheadBytes = 32;

/** SETTINGS_HEADER_TABLE_SIZE before anyone has announced another (RFC 9113 §6.5.2). */
export const initialTableBytes = 4096;

/** Enough for the repeated fields of most clients. */
const initialSlots = 8;

/**
 * The decoder's half of the dynamic table (RFC 7541 §2.3.2): a ring in which neither inserting nor evicting moves an
 * entry.
 *
 *   slots:  … | oldest | … | newest | free …        entry `age` (newest is 0) sits at (head - age) & mask
 */
export class DynamicTable {
  private names: string[] = new Array<string>(initialSlots).fill("");
  private values: string[] = new Array<string>(initialSlots).fill("");
  private mask = initialSlots - 1;
  private head = -1;
  /** Entries held. */
  length = 0;
  /** Bytes held, each entry's overhead included. */
  bytes = 0;
  maxBytes: number;
  /** Rises whenever an index may come to mean something else. */
  epoch = 0;

  constructor(maxBytes: number) {
    this.maxBytes = maxBytes;
  }

  /** `age` must be below `length`. */
  nameAt(age: number): string {
    return this.names[(this.head - age) & this.mask] as string;
  }

  /** `age` must be below `length`. */
  valueAt(age: number): string {
    return this.values[(this.head - age) & this.mask] as string;
  }

  /** Evicts what has to go, then inserts; an entry above the table's size only empties the table (RFC 7541 §4.4). */
  insert(name: string, value: string): void {
    this.epoch++;
    const entryBytes = name.length + value.length + entryOverheadBytes;
    this.evictDownTo(this.maxBytes - entryBytes);
    if (entryBytes > this.maxBytes) return;
    if (this.length > this.mask) this.grow();
    this.head = (this.head + 1) & this.mask;
    this.names[this.head] = name;
    this.values[this.head] = value;
    this.length++;
    this.bytes += entryBytes;
  }

  /** Empties the table, as an entry above its size does. */
  clear(): void {
    this.epoch++;
    this.evictDownTo(0);
  }

  resize(maxBytes: number): void {
    this.epoch++;
    this.maxBytes = maxBytes;
    this.evictDownTo(maxBytes);
  }

  private evictDownTo(bytes: number): void {
    while (this.bytes > bytes && this.length > 0) {
      const oldest = (this.head - this.length + 1) & this.mask;
      this.bytes -= (this.names[oldest] as string).length + (this.values[oldest] as string).length + entryOverheadBytes;
      this.names[oldest] = "";
      this.values[oldest] = "";
      this.length--;
    }
  }

  /** Doubles the ring: its size follows the entries in use, not the size the peer was allowed. */
  private grow(): void {
    const names: string[] = [];
    const values: string[] = [];
    for (let age = this.length - 1; age >= 0; age--) {
      names.push(this.nameAt(age));
      values.push(this.valueAt(age));
    }
    const slots = 2 * (this.mask + 1);
    while (names.length < slots) {
      names.push("");
      values.push("");
    }
    this.names = names;
    this.values = values;
    this.head = this.length - 1;
    this.mask = slots - 1;
  }
}
