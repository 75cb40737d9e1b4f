import { Buffer } from "node:buffer";
import { fail } from "../../../failure/failure.ts";
import { type PaxRecords, parsePaxRecords } from "./pax-records.ts";
import { createSparseData, type SparseData } from "./sparse-data.ts";
import type { TarEvents } from "./tar-events.ts";
import { blockBytes, parseHeader, type TarHeader, type TarMember, toMember } from "./tar-header.ts";

/** Extended headers larger than this are an attack: an inode's attributes and the longest names take a tenth of it. */
const maxExtraBytes = 1024 * 1024;

const noRecords: PaxRecords = new Map();

/**
 * Reads a tar archive as it flows by: ustar, pax and GNU long names, sparse files of GNU's format 1.0. It holds a header at a time,
 * never a file.
 */
export class TarReader {
  readonly #events: TarEvents;
  /** Bytes that a block or an extended header still waits for. */
  #pending: Buffer[] = [];
  #pendingBytes = 0;
  #wantedBytes = blockBytes;
  #extra: TarHeader | undefined;
  #offset: number;
  #member: TarMember | undefined;
  /** Bytes of the member's data and padding that are still to come. */
  #dataLeft = 0;
  #paddingBytes = 0;
  #sparse: SparseData | undefined;
  #memberOffset = 0;
  /** Whether headers of the next member have come already. */
  #isInHeaders = false;
  #pax: PaxRecords = noRecords;
  #globals: PaxRecords = noRecords;
  #longName: Buffer | undefined;
  #longLink: Buffer | undefined;
  #endOffset: number | undefined;

  /** @param startOffset where the first byte is in the archive */
  constructor(events: TarEvents, startOffset = 0) {
    this.#events = events;
    this.#offset = startOffset;
  }

  /** Where the end marker begins; undefined before it has come. What follows it is not looked at. */
  get endOffset(): number | undefined {
    return this.#endOffset;
  }

  /** Everything before it belongs to members that were reported; after it, headers of the next one may have begun. */
  get knownOffset(): number {
    return this.#isInHeaders ? this.#memberOffset : this.#offset - this.#pendingBytes;
  }

  /** @throws FailureError ARCHIVE_DAMAGED */
  push(chunk: Buffer): void {
    let at = 0;
    while (at < chunk.length && this.#endOffset === undefined) {
      const room = this.#member === undefined ? this.#wantedBytes - this.#pendingBytes : this.#dataLeft;
      const bytes = chunk.subarray(at, at + room);
      at += bytes.length;
      this.#offset += bytes.length;
      if (this.#member === undefined) this.#takeHeaderBytes(bytes);
      else this.#takeData(this.#member, bytes);
    }
  }

  /** @throws FailureError ARCHIVE_DAMAGED when the archive was cut off */
  end(): void {
    if (this.#endOffset !== undefined) return;
    const where = this.#member === undefined ? "between members" : `in ${this.#member.path.toString()}`;
    fail({
      reason: "ARCHIVE_DAMAGED",
      engine: "tar",
      message: `the archive ends too early: at byte ${this.#offset}, ${where}`,
    });
  }

  #takeHeaderBytes(bytes: Buffer): void {
    this.#pending.push(bytes);
    this.#pendingBytes += bytes.length;
    if (this.#pendingBytes < this.#wantedBytes) return;
    const whole = this.#pending.length === 1 ? bytes : Buffer.concat(this.#pending);
    this.#pending = [];
    this.#pendingBytes = 0;
    this.#wantedBytes = blockBytes;
    if (this.#extra === undefined) this.#takeHeader(whole);
    else this.#takeExtra(this.#extra, whole);
  }

  #takeHeader(block: Buffer): void {
    const offset = this.#offset - blockBytes;
    if (!this.#isInHeaders) {
      if (block.every((byte) => byte === 0)) {
        this.#endOffset = offset;
        return;
      }
      this.#memberOffset = offset;
      this.#isInHeaders = true;
    }
    const header = parseHeader(block, offset);
    if (/^(?:pax|long)/.test(header.type)) {
      if (header.size > maxExtraBytes) {
        fail({
          reason: "ARCHIVE_DAMAGED",
          engine: "tar",
          message: `extended header of ${header.size} bytes at byte ${offset}`,
        });
      }
      this.#extra = header;
      this.#wantedBytes = paddedBytes(header.size);
      if (header.size === 0) this.#takeExtra(header, Buffer.alloc(0));
      return;
    }
    this.#beginMember(header);
  }

  #takeExtra({ type, size }: TarHeader, padded: Buffer): void {
    this.#extra = undefined;
    this.#wantedBytes = blockBytes;
    const data = Buffer.from(padded).subarray(0, size);
    if (type === "pax") this.#pax = parsePaxRecords(data);
    else if (type === "pax-global") this.#globals = new Map([...this.#globals, ...parsePaxRecords(data)]);
    else if (type === "long-name") this.#longName = withoutNul(data);
    else this.#longLink = withoutNul(data);
  }

  #beginMember(header: TarHeader): void {
    const pax = this.#globals.size === 0 ? this.#pax : new Map([...this.#globals, ...this.#pax]);
    const extras = { pax, longName: this.#longName, longLink: this.#longLink };
    const member = toMember(header, extras, this.#memberOffset);
    this.#isInHeaders = false;
    this.#pax = noRecords;
    this.#longName = undefined;
    this.#longLink = undefined;
    this.#paddingBytes = paddedBytes(member.storedBytes) - member.storedBytes;
    this.#dataLeft = member.storedBytes + this.#paddingBytes;
    this.#sparse = member.isSparse ? createSparseData(member, this.#events) : undefined;
    this.#events.onMember?.(member);
    if (this.#dataLeft > 0) this.#member = member;
    else this.#endMember(member);
  }

  #takeData(member: TarMember, bytes: Buffer): void {
    const content = bytes.subarray(0, Math.max(0, this.#dataLeft - this.#paddingBytes));
    this.#dataLeft -= bytes.length;
    this.#events.onRaw?.(bytes);
    if (content.length > 0) {
      if (this.#sparse === undefined) this.#events.onContent?.(content);
      else this.#sparse.push(content);
    }
    if (this.#dataLeft === 0) this.#endMember(member);
  }

  #endMember(member: TarMember): void {
    this.#member = undefined;
    this.#sparse?.end();
    this.#events.onMemberEnd?.(member);
  }
}

function paddedBytes(bytes: number): number {
  return Math.ceil(bytes / blockBytes) * blockBytes;
}

function withoutNul(data: Buffer): Buffer {
  const end = data.indexOf(0);
  return end < 0 ? data : data.subarray(0, end);
}
