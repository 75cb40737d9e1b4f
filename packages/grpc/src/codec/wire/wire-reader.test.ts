import assert from "node:assert/strict";
import { test } from "node:test";
import { BinaryReader, BinaryWriter } from "@bufbuild/protobuf/wire";
import { oddInput, WireReader } from "./wire-reader.ts";

type Method = "uint32" | "int64" | "uint64" | "sint64" | "bool" | "fixed32" | "sfixed32" | "fixed64" | "sfixed64";

function readerOf(input: Uint8Array): WireReader {
  const reader = new WireReader();
  reader.start(input, true, Number.MAX_SAFE_INTEGER);
  return reader;
}

const isOdd = (thrown: unknown) => thrown === oddInput;

/** One more and one less than what fits into each number of bytes. */
const edges = Array.from({ length: 10 }, (_, n) => 2n ** BigInt(7 * n)).flatMap((edge) => [edge - 1n, edge, edge + 1n]);

test("reads varints of every length as protobuf-es does, with and without bytes behind them", () => {
  for (const value of edges.filter((edge) => edge < 2n ** 63n)) {
    for (const signed of [value, -value]) {
      const input = new BinaryWriter().int64(signed).finish();
      for (const behind of [0, 1, 10]) {
        const padded = Uint8Array.of(...input, ...new Uint8Array(behind).fill(0xff));
        for (const method of ["uint32", "int64", "uint64", "sint64", "bool"] as Method[]) {
          const reader = readerOf(padded);
          assert.equal(reader[method](padded.length), new BinaryReader(padded)[method](), `${method} ${signed}`);
          assert.equal(reader.at, input.length);
        }
      }
    }
  }
});

test("reads numbers of fixed size as protobuf-es does", () => {
  const input = Uint8Array.of(0x80, 0x7f, 1, 0xff, 0, 0xfe, 3, 0xc0, 9);
  for (const method of ["fixed32", "sfixed32", "fixed64", "sfixed64", "float", "double"] as const) {
    assert.equal(readerOf(input)[method](9), new BinaryReader(input)[method](), method);
  }
});

test("reads nothing beyond the end of what surrounds a value, though there are bytes", () => {
  const input = Uint8Array.of(0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0, 0);
  for (let end = 0; end < 10; end++) {
    for (const method of ["uint32", "int64", "bool", "tag"] as const) {
      assert.throws(() => readerOf(input)[method](end), isOdd, `${method} ${end}`);
    }
  }
  assert.equal(readerOf(input).uint32(10), 0);
  for (const [method, bytes] of [
    ["fixed32", 4],
    ["float", 4],
    ["fixed64", 8],
    ["double", 8],
  ] as const) {
    assert.throws(() => readerOf(input)[method](bytes - 1), isOdd);
    readerOf(input)[method](bytes);
  }
});

test("refuses a varint of eleven bytes and a tag of more than 32 bits", () => {
  const long = new Uint8Array(11).fill(0x80);
  assert.throws(() => readerOf(long).uint32(11), isOdd);
  assert.throws(() => readerOf(long).int64(11), isOdd);
  assert.equal(readerOf(Uint8Array.of(0xff, 0xff, 0xff, 0xff, 0x0f)).tag(5), 0xffff_ffff);
  assert.throws(() => readerOf(Uint8Array.of(0xff, 0xff, 0xff, 0xff, 0x10)).tag(5), isOdd);
  assert.throws(() => readerOf(Uint8Array.of(0x88, 0x80, 0x80, 0x80, 0x80, 0)).tag(6), isOdd);
});

test("believes no length that leads beyond the end", () => {
  assert.equal(readerOf(Uint8Array.of(2, 0, 0)).lengthDelimited(3), 3);
  assert.throws(() => readerOf(Uint8Array.of(2, 0, 0)).lengthDelimited(2), isOdd);
  assert.throws(() => readerOf(Uint8Array.of(0xff, 0xff, 0xff, 0xff, 0x0f)).lengthDelimited(5), isOdd);
});

test("tells a written replacement mark from bytes that are not UTF-8", () => {
  const mark = Uint8Array.of(0xef, 0xbf, 0xbd);
  const broken = Uint8Array.of(0x61, 0xff);
  assert.equal(readerOf(mark).text(0, 3, true), "\ufffd");
  assert.throws(() => readerOf(broken).text(0, 2, true), isOdd);
  assert.equal(readerOf(broken).text(0, 2, false), "a\ufffd");
});

test("lets go of the input when it is finished", () => {
  const reader = readerOf(new Uint8Array(1000));
  reader.finish();
  assert.equal(reader.input.length, 0);
});
