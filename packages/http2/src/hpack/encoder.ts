import { entryOverheadBytes, initialTableBytes } from "./dynamic-table.ts";
import { maxEncodedBytes } from "./encoded-size.ts";
import { EncoderTable, type NameRecord } from "./encoder-table.ts";
import { IndexingPolicy } from "./indexing-policy.ts";
import { maxInteger, writeInteger } from "./integer.ts";
import type { PreparedHeaders } from "./prepared-headers.ts";
import { writePlainString, writeString } from "./string-literal.ts";

/** Prepared lists whose bytes are remembered: a service sends a handful, and one connection mostly two or three. */
const minMemoSlots = 4;
const maxMemoSlots = 32;
/** Longer blocks are encoded each time; constant lists come to a few bytes once their fields are indexed. */
const maxMemoBytes = 128;

/** After this many insertions without a use, the values of a name evidently do not repeat. */
const maxFruitlessInsertions = 16;

/** A varying field enters the table once, for its name's sake; not if that costs more than a name is worth. */
const maxNameEntryBytes = 128;

/**
 * A value that is sent once, such as a request id, is written as it is up to this length: Huffman's code would save a fifth of it at
 * most, and costs four times the time.
 */
const maxPlainBytes = 64;

interface PreparedMemo {
  readonly prepared: PreparedHeaders;
  readonly epoch: number;
  readonly bytes: Uint8Array;
}

/** Encodes the header blocks of one direction of a connection (RFC 7541), which must be sent in the order written. */
export class HpackEncoder {
  private readonly table: EncoderTable;
  private readonly maxTableBytes: number;
  private memos: (PreparedMemo | undefined)[] = new Array<PreparedMemo | undefined>(minMemoSlots).fill(undefined);
  /** Table size in force for what is encoded next, and the smallest since the last block; they differ after a dip. */
  private tableBytes: number;
  private smallestTableBytes: number;
  private owesSizeUpdate = false;

  /**
   * `maxTableBytes` is our own bound on the table, whatever the peer offers. Default 4096, the protocol's initial size:
   * a larger table costs memory per connection and saves few bytes. `unindexedFields` are names whose values hardly ever
   * come twice, next to those known here.
   */
  constructor(maxTableBytes = initialTableBytes, unindexedFields: readonly string[] = []) {
    this.maxTableBytes = Math.min(maxTableBytes, maxInteger);
    this.tableBytes = initialTableBytes;
    this.smallestTableBytes = initialTableBytes;
    this.table = new EncoderTable(initialTableBytes, unindexedFields);
    this.setPeerMaxTableBytes(initialTableBytes);
  }

  /** The peer's SETTINGS_HEADER_TABLE_SIZE. The next block begins with the size update that follows from it. */
  setPeerMaxTableBytes(bytes: number): void {
    const tableBytes = Math.min(bytes, this.maxTableBytes);
    if (tableBytes === this.tableBytes) return;
    this.tableBytes = tableBytes;
    this.smallestTableBytes = Math.min(this.smallestTableBytes, tableBytes);
    this.owesSizeUpdate = true;
  }

  /** Upper bound of what `encode` writes for these fields, size updates included. */
  maxEncodedBytes(fields: readonly string[]): number {
    return maxEncodedBytes(fields);
  }

  /**
   * Writes `fields` (flat: name, value, name, value …) as one block at `offset` and returns the offset after it. The
   * target must have room for `maxEncodedBytes`; names are lower case, and all characters are bytes.
   */
  encode(fields: readonly string[], target: Uint8Array, offset: number): number {
    let end = this.owesSizeUpdate ? this.writeSizeUpdates(target, offset) : offset;
    for (let index = 0; index + 1 < fields.length; index += 2) {
      end = this.encodeField(fields[index] as string, fields[index + 1] as string, target, end);
    }
    return end;
  }

  /** As `encode`, for a constant list: copies what was written last time while that still means the same. */
  encodePrepared(prepared: PreparedHeaders, target: Uint8Array, offset: number): number {
    const epoch = this.table.epoch;
    if (!this.owesSizeUpdate) {
      const memo = this.memos[prepared.serial & (this.memos.length - 1)];
      if (memo !== undefined && memo.prepared === prepared && memo.epoch === epoch) {
        const bytes = memo.bytes;
        for (let at = 0; at < bytes.length; at++) target[offset + at] = bytes[at] as number;
        return offset + bytes.length;
      }
    }
    const end = this.encode(prepared.fields, target, offset);
    if (this.table.epoch === epoch && end - offset <= maxMemoBytes) {
      this.remember({ prepared, epoch, bytes: new Uint8Array(target.subarray(offset, end)) });
    }
    return end;
  }

  /** Makes room while the slot holds another list that may still be copied. */
  private remember(memo: PreparedMemo): void {
    const { prepared, epoch } = memo;
    const isTaken = (by: PreparedMemo | undefined) => by?.epoch === epoch && by.prepared !== prepared;
    while (this.memos.length < maxMemoSlots && isTaken(this.memos[prepared.serial & (this.memos.length - 1)])) {
      const { memos } = this;
      this.memos = new Array<PreparedMemo | undefined>(2 * memos.length).fill(undefined);
      for (const kept of memos) {
        if (kept !== undefined) this.memos[kept.prepared.serial & (this.memos.length - 1)] = kept;
      }
    }
    this.memos[prepared.serial & (this.memos.length - 1)] = memo;
  }

  /** The smallest size, then the final one: the peer has to evict what we evict (RFC 7541 §4.2). */
  private writeSizeUpdates(target: Uint8Array, offset: number): number {
    let end = offset;
    if (this.smallestTableBytes < this.tableBytes && this.smallestTableBytes < this.table.maxBytes) {
      end = this.writeSizeUpdate(this.smallestTableBytes, target, end);
    }
    end = this.writeSizeUpdate(this.tableBytes, target, end);
    this.smallestTableBytes = this.tableBytes;
    this.owesSizeUpdate = false;
    return end;
  }

  private writeSizeUpdate(bytes: number, target: Uint8Array, offset: number): number {
    this.table.resize(bytes);
    return writeInteger(target, offset, 0x20, 0x1f, bytes);
  }

  private encodeField(name: string, value: string, target: Uint8Array, offset: number): number {
    const table = this.table;
    const record = table.recordOf(name);
    const entry = record.policy === IndexingPolicy.never ? undefined : table.entryOf(record, value);
    if (entry !== undefined) {
      if (entry < 0) return writeInteger(target, offset, 0x80, 0x7f, -entry);
      record.fruitlessInsertions = 0;
      return writeInteger(target, offset, 0x80, 0x7f, table.indexOf(entry));
    }
    // The name's index counts from the table as it is before the insertion.
    const nameIndex = this.nameIndexOf(record);
    if (record.policy === IndexingPolicy.never)
      return writeLiteral(record, nameIndex, 0x10, 0x0f, value, target, offset);
    if (!this.isWorthAnEntry(record, nameIndex, value)) {
      if (nameIndex === 0 || value.length > maxPlainBytes)
        return writeLiteral(record, nameIndex, 0, 0x0f, value, target, offset);
      return writePlainString(value, target, writeInteger(target, offset, 0, 0x0f, nameIndex));
    }
    record.fruitlessInsertions++;
    table.insert(record, value);
    return writeLiteral(record, nameIndex, 0x40, 0x3f, value, target, offset);
  }

  private nameIndexOf(record: NameRecord): number {
    if (record.staticIndex !== 0) return record.staticIndex;
    return record.newestEntry < 0 ? 0 : this.table.indexOf(record.newestEntry);
  }

  private isWorthAnEntry(record: NameRecord, nameIndex: number, value: string): boolean {
    const entryBytes = record.name.length + value.length + entryOverheadBytes;
    if (record.policy === IndexingPolicy.without || record.fruitlessInsertions >= maxFruitlessInsertions) {
      return nameIndex === 0 && entryBytes <= Math.min(maxNameEntryBytes, this.table.maxBytes);
    }
    // One entry that takes most of the table would evict all useful ones.
    return entryBytes <= this.table.maxBytes * 0.75;
  }
}

/** A literal in one of the forms of RFC 7541 §6.2, its name by index where there is one. */
function writeLiteral(
  record: NameRecord,
  nameIndex: number,
  form: number,
  prefixMask: number,
  value: string,
  target: Uint8Array,
  offset: number,
): number {
  let end = writeInteger(target, offset, form, prefixMask, nameIndex);
  if (nameIndex === 0) end = writeString(record.name, target, end);
  return writeString(value, target, end);
}
