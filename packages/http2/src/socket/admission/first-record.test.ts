import assert from "node:assert/strict";
import { test } from "node:test";
import { hasFirstRecord } from "./first-record.ts";

test("waits for more at every byte of the first record, and for nothing after it", () => {
  const record = Buffer.concat([Buffer.from("160301012c", "hex"), Buffer.alloc(300)]);
  for (let length = 0; length < record.length; length++) {
    assert.equal(hasFirstRecord(record.subarray(0, length)), false, `${length} bytes`);
  }
  assert.equal(hasFirstRecord(record), true);
  assert.equal(hasFirstRecord(Buffer.concat([record, Buffer.of(1)])), true);
});

test("leaves to TLS what is not a handshake, at the first byte", () => {
  for (const first of ["GET / HTTP/1.1\r\n", "PRI * HTTP/2.0", "\x15\x03\x01", "\x80"]) {
    assert.equal(hasFirstRecord(Buffer.from(first.slice(0, 1), "latin1")), true, first);
  }
});

test("waits for a record of the largest length, and for none that is longer", () => {
  assert.equal(hasFirstRecord(Buffer.from("1603014000", "hex")), false);
  assert.equal(hasFirstRecord(Buffer.from("1603014001", "hex")), true);
});
