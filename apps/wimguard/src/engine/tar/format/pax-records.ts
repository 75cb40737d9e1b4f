import { Buffer } from "node:buffer";
import { fail } from "../../../failure/failure.ts";

/** Keywords of a pax extended header (POSIX.1-2001) with their values, which may hold any bytes. */
export type PaxRecords = ReadonlyMap<string, Buffer>;

/** Parses records of the form `LENGTH KEYWORD=VALUE\n`, where the length counts the whole record in decimal digits. */
export function parsePaxRecords(data: Buffer): PaxRecords {
  const records = new Map<string, Buffer>();
  for (let at = 0; at < data.length; ) {
    const space = data.indexOf(0x20, at);
    const digits = space < 0 ? "" : data.toString("latin1", at, space);
    const length = /^\d{1,9}$/.test(digits) ? Number(digits) : 0;
    const end = at + length;
    const equals = data.indexOf(0x3d, space);
    if (length === 0 || end > data.length || data[end - 1] !== 0x0a || equals < 0 || equals >= end) {
      fail({ reason: "ARCHIVE_DAMAGED", message: `malformed pax header: record at byte ${at}` });
    }
    records.set(data.toString("utf8", space + 1, equals), data.subarray(equals + 1, end - 1));
    at = end;
  }
  return records;
}

/** Formats records; the length includes its own digits. */
export function formatPaxRecords(records: PaxRecords): Buffer {
  // As text in which each character is a byte: a buffer for each record would take most of the time.
  let text = "";
  for (const [keyword, value] of records) {
    const rest = ` ${bytesAsText(keyword)}=${value.toString("latin1")}\n`;
    let length = rest.length + 1;
    while (String(length).length + rest.length !== length) length = String(length).length + rest.length;
    text += `${length}${rest}`;
  }
  return Buffer.from(text, "latin1");
}

/** The name of an attribute may be any text. */
function bytesAsText(keyword: string): string {
  return /[^\0-\x7f]/.test(keyword) ? Buffer.from(keyword).toString("latin1") : keyword;
}
