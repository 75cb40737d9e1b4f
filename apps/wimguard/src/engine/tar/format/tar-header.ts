import { Buffer } from "node:buffer";
import { fail } from "../../../failure/failure.ts";
import type { PaxRecords } from "./pax-records.ts";

export const blockBytes = 512;

export type MemberKind = "file" | "folder" | "link" | "hardlink" | "fifo" | "character-device" | "block-device";

/** One member of a tar archive, its extended header included. */
export interface TarMember {
  /** As the archive has it, such as `./a/b`. */
  readonly path: Buffer;
  readonly kind: MemberKind;
  /** Bytes of the file as it was, holes included. */
  readonly size: number;
  /** Bytes in the archive, without padding. */
  readonly storedBytes: number;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** Seconds since 1970 as decimal text, with up to nine digits after the point. */
  readonly mtime: string;
  /** When the inode changed last, in nanoseconds since 1970; undefined in archives that do not say. */
  readonly ctimeNs: bigint | undefined;
  /** The target of a link, or the path of the member that a hard link repeats. */
  readonly linkPath: Buffer | undefined;
  /** Whether the data begins with a map of a sparse file (GNU format 1.0). */
  readonly isSparse: boolean;
  /** Major and minor number of a device. */
  readonly device: readonly [major: number, minor: number] | undefined;
  /** The records of its extended header that hold attributes and access control lists. */
  readonly attributes: PaxRecords;
  /** Where its first header begins in the archive. */
  readonly offset: number;
}

/** What the type flag of a header means: a member, or something about the next one. */
export type HeaderType = MemberKind | "pax" | "pax-global" | "long-name" | "long-link";

const typeOfFlag: Readonly<Record<string, HeaderType>> = {
  "\0": "file",
  "0": "file",
  "7": "file",
  "1": "hardlink",
  "2": "link",
  "3": "character-device",
  "4": "block-device",
  "5": "folder",
  "6": "fifo",
  x: "pax",
  g: "pax-global",
  L: "long-name",
  K: "long-link",
};

/** The fields of a header block that say how to go on. */
export interface TarHeader {
  readonly type: HeaderType;
  readonly size: number;
  readonly block: Buffer;
}

/** @throws FailureError ARCHIVE_DAMAGED for a wrong checksum, an unknown type or a number that is none */
export function parseHeader(block: Buffer, offset: number): TarHeader {
  const expected = numberAt(block, 148, 8, offset);
  let sum = 8 * 0x20;
  for (let at = 0; at < blockBytes; at++) if (at < 148 || at >= 156) sum += block[at] as number;
  if (sum !== expected) damaged(offset, "wrong checksum");
  const flag = String.fromCharCode(block[156] as number);
  const type = Object.hasOwn(typeOfFlag, flag) ? typeOfFlag[flag] : undefined;
  if (type === undefined) damaged(offset, `unknown type ${JSON.stringify(flag)}`);
  return { type, size: numberAt(block, 124, 12, offset), block };
}

/** What headers before a member's own say about it. */
export interface MemberExtras {
  readonly pax: PaxRecords;
  readonly longName: Buffer | undefined;
  readonly longLink: Buffer | undefined;
}

/** @param offset where the first header of the member begins */
export function toMember({ type, size, block }: TarHeader, extras: MemberExtras, offset: number): TarMember {
  const { pax, longName, longLink } = extras;
  const isSparse = pax.get("GNU.sparse.major")?.toString() === "1" && pax.get("GNU.sparse.minor")?.toString() === "0";
  const storedBytes = type === "file" ? (paxNumber(pax, "size", offset) ?? size) : 0;
  const realSize = isSparse ? paxNumber(pax, "GNU.sparse.realsize", offset) : undefined;
  const isLink = type === "link" || type === "hardlink";
  return {
    path: (isSparse ? pax.get("GNU.sparse.name") : undefined) ?? pax.get("path") ?? longName ?? ustarPath(block),
    kind: type as MemberKind,
    size: realSize ?? storedBytes,
    storedBytes,
    mode: numberAt(block, 100, 8, offset) & 0o7777,
    uid: paxNumber(pax, "uid", offset) ?? numberAt(block, 108, 8, offset),
    gid: paxNumber(pax, "gid", offset) ?? numberAt(block, 116, 8, offset),
    mtime: pax.get("mtime")?.toString("latin1") ?? String(numberAt(block, 136, 12, offset)),
    ctimeNs: parseTime(pax.get("ctime")?.toString("latin1") ?? ""),
    linkPath: isLink ? (pax.get("linkpath") ?? longLink ?? textAt(block, 157, 100)) : undefined,
    isSparse,
    device: type.endsWith("-device") ? [numberAt(block, 329, 8, offset), numberAt(block, 337, 8, offset)] : undefined,
    attributes: attributesOf(pax),
    offset,
  };
}

function attributesOf(pax: PaxRecords): PaxRecords {
  return new Map([...pax].filter(([keyword]) => /^SCHILY\.(?:xattr|acl)\./.test(keyword)));
}

function ustarPath(block: Buffer): Buffer {
  const name = textAt(block, 0, 100);
  const isUstar = block.toString("latin1", 257, 263) === "ustar\0";
  const prefix = isUstar ? textAt(block, 345, 155) : undefined;
  if (prefix === undefined || prefix.length === 0) return name;
  return Buffer.concat([prefix, Buffer.from("/"), name]);
}

function textAt(block: Buffer, at: number, length: number): Buffer {
  const field = block.subarray(at, at + length);
  const end = field.indexOf(0);
  return end < 0 ? field : field.subarray(0, end);
}

/** Octal digits, or for large and negative values a number of base 256 whose first bit is set. */
function numberAt(block: Buffer, at: number, length: number, offset: number): number {
  const first = block[at] as number;
  if ((first & 0x80) !== 0) {
    let value = first & 0x40 ? BigInt(first) - 0x100n : BigInt(first & 0x7f);
    for (let index = at + 1; index < at + length; index++) value = value * 256n + BigInt(block[index] as number);
    const number = Number(value);
    if (!Number.isSafeInteger(number)) damaged(offset, "number out of range");
    return number;
  }
  const text = textAt(block, at, length).toString("latin1").trim();
  if (text === "") return 0;
  if (!/^[0-7]+$/.test(text)) damaged(offset, `invalid number ${JSON.stringify(text)}`);
  return Number.parseInt(text, 8);
}

/** Undefined for text that is not a time of 1970 or later. */
function parseTime(text: string): bigint | undefined {
  const [, seconds, fraction = ""] = /^(\d{1,16})(?:\.(\d{1,9}))?$/.exec(text) ?? [];
  return seconds === undefined ? undefined : BigInt(seconds) * 1_000_000_000n + BigInt(fraction.padEnd(9, "0"));
}

function paxNumber(pax: PaxRecords, keyword: string, offset: number): number | undefined {
  const text = pax.get(keyword)?.toString("latin1");
  if (text === undefined) return undefined;
  const value = /^\d{1,16}$/.test(text) ? Number(text) : Number.NaN;
  if (!Number.isSafeInteger(value)) damaged(offset, `invalid ${keyword} ${JSON.stringify(text.slice(0, 32))}`);
  return value;
}

function damaged(offset: number, problem: string): never {
  fail({ reason: "ARCHIVE_DAMAGED", engine: "tar", message: `damaged tar header at byte ${offset}: ${problem}` });
}
