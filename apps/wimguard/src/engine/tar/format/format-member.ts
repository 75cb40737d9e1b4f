import { Buffer } from "node:buffer";
import { formatPaxRecords } from "./pax-records.ts";
import { blockBytes, type MemberKind, type TarMember } from "./tar-header.ts";

const flagOf: Readonly<Record<MemberKind, string>> = {
  file: "0",
  hardlink: "1",
  link: "2",
  "character-device": "3",
  "block-device": "4",
  folder: "5",
  fifo: "6",
};

/**
 * Formats the headers of a member: a pax header with whatever may be long, and a ustar header. An archive from elsewhere can have headers
 * that two readers understand differently; these have one meaning, the one that was checked.
 */
export function formatMember(member: TarMember): Buffer {
  const records = new Map<string, Buffer>([["mtime", Buffer.from(member.mtime)]]);
  if (member.isSparse) {
    records.set("GNU.sparse.major", Buffer.from("1"));
    records.set("GNU.sparse.minor", Buffer.from("0"));
    records.set("GNU.sparse.name", member.path);
    records.set("GNU.sparse.realsize", Buffer.from(String(member.size)));
  } else {
    records.set("path", member.path);
  }
  if (member.linkPath !== undefined) records.set("linkpath", member.linkPath);
  records.set("size", Buffer.from(String(member.storedBytes)));
  records.set("uid", Buffer.from(String(member.uid)));
  records.set("gid", Buffer.from(String(member.gid)));
  for (const [keyword, value] of member.attributes) records.set(keyword, value);
  const extended = formatPaxRecords(records);
  const padding = Buffer.alloc((blockBytes - (extended.length % blockBytes)) % blockBytes);
  const ownHeader = formatHeader(flagOf[member.kind], member.storedBytes, member.mode, member.device);
  return Buffer.concat([formatHeader("x", extended.length, 0o600), extended, padding, ownHeader]);
}

/** Names, owners and times are in the pax header. Sizes above 8 GiB do not fit here, and are not looked at. */
function formatHeader(flag: string, size: number, mode: number, device?: readonly [number, number]): Buffer {
  const block = Buffer.alloc(blockBytes);
  block.write("member", 0, "latin1");
  writeOctal(block, 100, 8, mode);
  writeOctal(block, 108, 8, 0);
  writeOctal(block, 116, 8, 0);
  writeOctal(block, 124, 12, size < 8 ** 11 ? size : 0);
  writeOctal(block, 136, 12, 0);
  block.write("        ", 148, "latin1");
  block.write(flag, 156, "latin1");
  block.write("ustar\x0000", 257, "latin1");
  writeOctal(block, 329, 8, device?.[0] ?? 0);
  writeOctal(block, 337, 8, device?.[1] ?? 0);
  let sum = 0;
  for (let at = 0; at < blockBytes; at++) sum += block[at] as number;
  block.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148, "latin1");
  return block;
}

function writeOctal(block: Buffer, at: number, length: number, value: number): void {
  block.write(value.toString(8).padStart(length - 1, "0"), at, "latin1");
}
