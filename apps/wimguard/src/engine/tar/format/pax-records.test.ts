import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { describe, it } from "node:test";
import { formatPaxRecords, parsePaxRecords } from "./pax-records.ts";

describe("pax records", () => {
  it("count their own digits in their length", () => {
    // POSIX.1-2001: the length of the record in bytes, including its own digits and the newline.
    const records = new Map([
      ["a", Buffer.from("b")],
      ["path", Buffer.alloc(92, "x")],
    ]);
    assert.equal(formatPaxRecords(records).toString(), `6 a=b\n102 path=${"x".repeat(92)}\n`);
  });

  it("keep any bytes, and any text as the name of an attribute", () => {
    const records = new Map([
      ["path", Buffer.from([0x2e, 0x2f, 0xff, 0x00, 0x0a, 0x3d, 0xc3])],
      ["SCHILY.xattr.user.größe", Buffer.from("ü")],
      ["empty", Buffer.alloc(0)],
    ]);
    const formatted = formatPaxRecords(records);
    assert.deepEqual([...parsePaxRecords(formatted)], [...records]);
    assert.equal(formatted.subarray(3, 8).toString(), "path=");
  });
});
