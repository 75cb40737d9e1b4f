import { BlockCursor } from "./block-cursor.ts";
import { BlockRecall } from "./block-recall.ts";
import { DynamicTable, entryOverheadBytes, initialTableBytes } from "./dynamic-table.ts";
import { HeaderBlock } from "./header-block.ts";
import { HpackError } from "./hpack-error.ts";
import { readInteger } from "./integer.ts";
import { staticNames, staticTableLength, staticValues } from "./static-table.ts";
import { readString } from "./string-literal.ts";

/** The smallest one since the last block and the final one (RFC 7541 §4.2): a block needs at most these two. */
const maxSizeUpdates = 2;

const noBytes = new Uint8Array(0);

export interface HpackDecoderOptions {
  /**
   * Bytes the peer's encoder may let the dynamic table grow to: SETTINGS_HEADER_TABLE_SIZE as the peer knows it.
   * Default 4096, which holds until another value was announced and acknowledged.
   */
  maxTableBytes?: number;
  /**
   * Longest header list, counted as RFC 9113 §6.5.2 does (name + value + 32 for each field). Default 16384,
   * where widely used peers stop as well.
   */
  maxListBytes?: number;
  /** Most fields in a list, each cookie crumb counting as one. Default 128: a field costs more than its bytes say. */
  maxFields?: number;
}

/**
 * Decodes the header blocks of one direction of a connection (RFC 7541), which must arrive complete and in order. A list
 * above the limits is still read to its end, since later blocks refer to the table as this one leaves it.
 */
export class HpackDecoder {
  private readonly table: DynamicTable;
  private readonly recall = new BlockRecall();
  private readonly cursor = new BlockCursor(noBytes);
  private readonly maxListBytes: number;
  private readonly maxFields: number;
  private maxTableBytes: number;
  /** The size that the next block's first size update must not exceed; infinite while none is owed. */
  private owedTableBytes = Number.POSITIVE_INFINITY;

  private fields: string[] = [];
  private listBytes = 0;
  private fieldCount = 0;
  private overLimit = false;

  constructor(options: HpackDecoderOptions = {}) {
    this.maxTableBytes = options.maxTableBytes ?? initialTableBytes;
    this.maxListBytes = options.maxListBytes ?? 16_384;
    this.maxFields = options.maxFields ?? 128;
    // A peer that may use more than the protocol's initial size says so in a size update when it does.
    this.table = new DynamicTable(Math.min(this.maxTableBytes, initialTableBytes));
  }

  /** Our SETTINGS_HEADER_TABLE_SIZE, once the peer has acknowledged it. The peer has to follow a reduction at once. */
  setMaxTableBytes(bytes: number): void {
    this.maxTableBytes = bytes;
    if (bytes >= this.table.maxBytes) return;
    this.owedTableBytes = Math.min(this.owedTableBytes, bytes);
    // The next block must begin with the size update, so a remembered block must not replace it.
    this.table.epoch++;
  }

  /** Decodes the complete block in bytes[start, end). Throws HpackError when the connection has to end. */
  decode(bytes: Uint8Array, start: number, end: number): HeaderBlock {
    const epoch = this.table.epoch;
    const recalled = this.recall.find(bytes, start, end, epoch);
    if (recalled !== undefined) return recalled;
    const block = this.decodeAnew(bytes, start, end);
    if (this.table.epoch === epoch && !block.overLimit) this.recall.remember(bytes, start, end, block);
    return block;
  }

  private decodeAnew(bytes: Uint8Array, start: number, end: number): HeaderBlock {
    const cursor = this.cursor;
    cursor.bytes = bytes;
    cursor.position = start;
    cursor.end = end;
    this.fields = [];
    this.listBytes = 0;
    this.fieldCount = 0;
    this.overLimit = false;
    this.readSizeUpdates();
    while (cursor.position < end) {
      const first = bytes[cursor.position] as number;
      if (first >= 0x80) this.readIndexed(first);
      else if (first >= 0x40) this.readLiteralToIndex();
      else if (first >= 0x20) throw new HpackError("table size update after a field or after a second update");
      else this.readLiteral();
    }
    const block = new HeaderBlock(this.fields, this.listBytes, this.fieldCount, this.overLimit);
    // The connection outlives the chunk and the block: neither is held on to from here.
    cursor.bytes = noBytes;
    this.fields = [];
    return block;
  }

  /** RFC 7541 §6.3; only in front of the first field (§4.2). */
  private readSizeUpdates(): void {
    const cursor = this.cursor;
    for (let updates = 0; updates < maxSizeUpdates && cursor.position < cursor.end; updates++) {
      const first = cursor.bytes[cursor.position] as number;
      if (first < 0x20 || first >= 0x40) break;
      const bytes = readInteger(cursor, 0x1f);
      if (bytes > this.maxTableBytes) throw new HpackError("table size update above the announced size");
      if (bytes <= this.owedTableBytes) this.owedTableBytes = Number.POSITIVE_INFINITY;
      this.table.resize(bytes);
    }
    if (this.owedTableBytes !== Number.POSITIVE_INFINITY) {
      throw new HpackError("header block does not reduce the table to the announced size");
    }
  }

  /** RFC 7541 §6.1 */
  private readIndexed(first: number): void {
    let index = first & 0x7f;
    if (index < 0x7f) this.cursor.position++;
    else index = readInteger(this.cursor, 0x7f);
    if (index > staticTableLength) {
      const age = this.ageOf(index);
      this.add(this.table.nameAt(age), this.table.valueAt(age));
    } else {
      if (index === 0) throw new HpackError("index 0 names no field");
      this.add(staticNames[index] as string, staticValues[index] as string);
    }
  }

  /** RFC 7541 §6.2.1 */
  private readLiteralToIndex(): void {
    const cursor = this.cursor;
    const table = this.table;
    // After the limit too, entries that fit into the table must be added: later blocks may refer to them.
    const maxTableStrings = table.maxBytes - entryOverheadBytes;
    const maxStrings = Math.max(this.roomForStrings(), maxTableStrings);
    const name = this.readName(0x3f, maxStrings);
    const nameBytes = cursor.stringBytes;
    const value = readString(cursor, maxStrings - nameBytes);
    const stringBytes = nameBytes + cursor.stringBytes;
    this.count(name, value, stringBytes);
    if (name !== undefined && value !== undefined && stringBytes <= maxTableStrings) table.insert(name, value);
    else table.clear();
  }

  /** RFC 7541 §6.2.2 and §6.2.3: whether it may be indexed later matters only to a proxy that forwards it. */
  private readLiteral(): void {
    const cursor = this.cursor;
    const maxStrings = this.roomForStrings();
    const name = this.readName(0x0f, maxStrings);
    const nameBytes = cursor.stringBytes;
    const value = readString(cursor, maxStrings - nameBytes);
    this.count(name, value, nameBytes + cursor.stringBytes);
  }

  /** Name of a literal, by index or spelled out; its size goes to `cursor.stringBytes`. */
  private readName(prefixMask: number, maxBytes: number): string | undefined {
    const cursor = this.cursor;
    const index = readInteger(cursor, prefixMask);
    if (index === 0) return readString(cursor, maxBytes);
    const name = index > staticTableLength ? this.table.nameAt(this.ageOf(index)) : (staticNames[index] as string);
    cursor.stringBytes = name.length;
    return name;
  }

  /** Age of the dynamic entry at `index`, which must be above the static table. */
  private ageOf(index: number): number {
    const age = index - staticTableLength - 1;
    if (age >= this.table.length) throw new HpackError("index is beyond the dynamic table");
    return age;
  }

  /** Bytes that the next field's two strings may have; negative when none fits any more. */
  private roomForStrings(): number {
    if (this.overLimit || this.fieldCount >= this.maxFields) return -1;
    return this.maxListBytes - this.listBytes - entryOverheadBytes;
  }

  private add(name: string, value: string): void {
    this.count(name, value, name.length + value.length);
  }

  /** Counts the field, and keeps it unless it or one before it went over the limit. */
  private count(name: string | undefined, value: string | undefined, stringBytes: number): void {
    this.fieldCount++;
    this.listBytes += stringBytes + entryOverheadBytes;
    if (this.overLimit) return;
    if (
      this.listBytes > this.maxListBytes ||
      this.fieldCount > this.maxFields ||
      name === undefined ||
      value === undefined
    ) {
      this.overLimit = true;
      return;
    }
    this.fields.push(name, value);
  }
}
