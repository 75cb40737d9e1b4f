import assert from "node:assert/strict";
import { test } from "node:test";
import { HpackDecoder } from "./decoder.ts";
import type { HeaderBlock } from "./header-block.ts";
import { HpackError } from "./hpack-error.ts";
import { huffmanEncodedBytes } from "./huffman-encode.ts";
import { writeInteger } from "./integer.ts";
import { writeString } from "./string-literal.ts";

const newestEntry = [0xbe];

function decode(decoder: HpackDecoder, ...block: (number | readonly number[])[]): HeaderBlock {
  const bytes = Uint8Array.from(block.flat());
  return decoder.decode(bytes, 0, bytes.length);
}

function raw(text: string): number[] {
  const length = new Uint8Array(5);
  return [...length.subarray(0, writeInteger(length, 0, 0, 0x7f, text.length)), ...Buffer.from(text, "latin1")];
}

/** As the encoder writes it: Huffman-encoded where that is shorter. */
function packed(text: string): number[] {
  const target = new Uint8Array(text.length + 5);
  return [...target.subarray(0, writeString(text, target, 0))];
}

function integer(value: number, firstByte: number, prefixMask: number): number[] {
  const target = new Uint8Array(5);
  return [...target.subarray(0, writeInteger(target, 0, firstByte, prefixMask, value))];
}

const withIndexing = (name: string, value: string) => [0x40, ...raw(name), ...raw(value)];
const withoutIndexing = (name: string, value: string) => [0x00, ...raw(name), ...raw(value)];
const indexed = (index: number) => integer(index, 0x80, 0x7f);
const sizeUpdate = (bytes: number) => integer(bytes, 0x20, 0x1f);

test("decodes only what lies between start and end", () => {
  const bytes = Uint8Array.of(0x80, 0x82, 0x86, 0x80);
  assert.deepEqual(new HpackDecoder().decode(bytes, 1, 3).fields, [":method", "GET", ":scheme", "http"]);
});

test("decodes an empty block to an empty list", () => {
  assert.deepEqual(new HpackDecoder().decode(new Uint8Array(0), 0, 0).fields, []);
});

test("keeps bytes above 127 as latin1", () => {
  assert.deepEqual(decode(new HpackDecoder(), withoutIndexing("n", "\x80\xff")).fields, ["n", "\x80\xff"]);
});

test("refuses index 0 and takes 1 and 61", () => {
  assert.throws(() => decode(new HpackDecoder(), 0x80), HpackError);
  assert.deepEqual(decode(new HpackDecoder(), indexed(1), indexed(61)).fields, [
    ":authority",
    "",
    "www-authenticate",
    "",
  ]);
});

test("refuses an index beyond the table, for a field and for a name", () => {
  for (const beyond of [indexed(63), integer(63, 0x40, 0x3f), integer(63, 0x00, 0x0f), integer(63, 0x10, 0x0f)]) {
    const decoder = new HpackDecoder();
    decode(decoder, withIndexing("n", "v"));
    assert.deepEqual(decode(decoder, newestEntry).fields, ["n", "v"]);
    assert.throws(() => decode(decoder, beyond, raw("x")), HpackError);
  }
});

test("takes names by index out of the dynamic table", () => {
  const decoder = new HpackDecoder();
  const block = decode(
    decoder,
    withIndexing("n", "1"),
    integer(62, 0x40, 0x3f),
    raw("2"),
    integer(63, 0x00, 0x0f),
    raw("3"),
    integer(62, 0x10, 0x0f),
    raw("4"),
  );
  assert.deepEqual(block.fields, ["n", "1", "n", "2", "n", "3", "n", "4"]);
});

test("refuses every block that ends inside a field", () => {
  const whole = [0x40, ...packed("custom-key"), ...packed("custom-value")];
  for (let length = 1; length < whole.length; length++) {
    assert.throws(() => decode(new HpackDecoder(), whole.slice(0, length)), HpackError, `${length} bytes`);
  }
  assert.equal(decode(new HpackDecoder(), whole).fieldCount, 1);
});

test("refuses a string longer than the rest of the block, without looking at what follows the block", () => {
  const bytes = Uint8Array.from([0x00, 0x01, 0x61, 0x05, 0x62, 0x62, 0x62, 0x62, 0x62]);
  assert.deepEqual(new HpackDecoder().decode(bytes, 0, 9).fields, ["a", "bbbbb"]);
  assert.throws(() => new HpackDecoder().decode(bytes, 0, 8), HpackError);
  assert.throws(() => decode(new HpackDecoder(), 0x00, integer(2 ** 28, 0x80, 0x7f)), HpackError);
});

test("refuses invalid Huffman encodings in fields within and after the limits", () => {
  for (const maxListBytes of [0, 16_384]) {
    for (const invalid of [0xff, 0x00]) {
      assert.throws(() => decode(new HpackDecoder({ maxListBytes }), 0x00, raw("n"), 0x81, invalid), HpackError);
    }
  }
});

test("takes a size update of the announced size and refuses one above", () => {
  for (const maxTableBytes of [0, 100, 4096, 65_536]) {
    assert.equal(decode(new HpackDecoder({ maxTableBytes }), sizeUpdate(maxTableBytes), 0x82).fieldCount, 1);
    assert.throws(() => decode(new HpackDecoder({ maxTableBytes }), sizeUpdate(maxTableBytes + 1), 0x82), HpackError);
  }
});

test("takes two size updates in front of a block and refuses a third", () => {
  assert.equal(decode(new HpackDecoder(), sizeUpdate(0), sizeUpdate(4096), 0x82).fieldCount, 1);
  assert.throws(() => decode(new HpackDecoder(), sizeUpdate(0), sizeUpdate(0), sizeUpdate(0), 0x82), HpackError);
});

test("refuses a size update after a field", () => {
  assert.throws(() => decode(new HpackDecoder(), 0x82, sizeUpdate(0)), HpackError);
  assert.throws(() => decode(new HpackDecoder(), sizeUpdate(0), 0x82, sizeUpdate(0)), HpackError);
});

test("evicts on a size update", () => {
  const decoder = new HpackDecoder();
  decode(decoder, withIndexing("n", "v"));
  decode(decoder, sizeUpdate(34));
  assert.deepEqual(decode(decoder, newestEntry).fields, ["n", "v"]);
  decode(decoder, sizeUpdate(33));
  assert.throws(() => decode(decoder, newestEntry), HpackError);
});

test("starts with the protocol's 4096 bytes even when more were announced", () => {
  const decoder = new HpackDecoder({ maxTableBytes: 8192, maxListBytes: 20_000 });
  decode(decoder, withIndexing("n", "v".repeat(4096 - 33)));
  assert.equal(decode(decoder, newestEntry).fieldCount, 1);
  decode(decoder, withIndexing("n", "v".repeat(4096 - 32)));
  assert.throws(() => decode(decoder, newestEntry), HpackError);
});

test("demands a size update once a smaller table was acknowledged", () => {
  const decoder = new HpackDecoder();
  decode(decoder, 0x82);
  decoder.setMaxTableBytes(100);
  assert.throws(() => decode(decoder, 0x82), HpackError);

  const follower = new HpackDecoder();
  follower.setMaxTableBytes(100);
  follower.setMaxTableBytes(4096);
  assert.throws(() => decode(follower, sizeUpdate(101), 0x82), HpackError);

  const strict = new HpackDecoder();
  strict.setMaxTableBytes(100);
  strict.setMaxTableBytes(4096);
  decode(strict, sizeUpdate(100), sizeUpdate(4096), 0x82);
  assert.equal(decode(strict, 0x82).fieldCount, 1);
});

test("demands no size update for a larger table", () => {
  const decoder = new HpackDecoder();
  decoder.setMaxTableBytes(8192);
  assert.equal(decode(decoder, 0x82).fieldCount, 1);
  assert.equal(decode(decoder, sizeUpdate(8192), 0x82).fieldCount, 1);
});

test("lets an entry above the table's size empty the table, and still delivers the field", () => {
  const decoder = new HpackDecoder({ maxTableBytes: 64 });
  decode(decoder, withIndexing("n", "v".repeat(31)));
  assert.equal(decode(decoder, newestEntry).fieldCount, 1);
  assert.deepEqual(decode(decoder, withIndexing("n", "v".repeat(32))).fields, ["n", "v".repeat(32)]);
  assert.throws(() => decode(decoder, newestEntry), HpackError);
});

test("takes a list of exactly the limit and cuts one that is a byte longer", () => {
  const maxListBytes = 200;
  const value = (last: number) => [...withoutIndexing("a", "1"), ...withoutIndexing("n", "v".repeat(last))];
  const fits = decode(new HpackDecoder({ maxListBytes }), value(200 - 34 - 33));
  assert.deepEqual([fits.listBytes, fits.overLimit, fits.fields.length], [200, false, 4]);
  const over = decode(new HpackDecoder({ maxListBytes }), value(201 - 34 - 33));
  assert.deepEqual([over.listBytes, over.overLimit, over.fieldCount, over.fields], [201, true, 2, ["a", "1"]]);
});

test("takes Huffman-encoded strings of exactly the limit and cuts ones that decode to a byte more", () => {
  for (const maxListBytes of [200, 9000]) {
    for (const excess of [0, 1]) {
      const text = "a".repeat(maxListBytes - 33 + excess);
      assert.ok(huffmanEncodedBytes(text) < text.length);
      const block = decode(new HpackDecoder({ maxListBytes }), 0x00, raw("n"), packed(text));
      assert.deepEqual([block.listBytes, block.overLimit], [maxListBytes + excess, excess === 1]);
      assert.deepEqual(block.fields, excess === 1 ? [] : ["n", text]);
    }
  }
});

test("takes as many fields as allowed and cuts the list after them", () => {
  const fits = decode(new HpackDecoder(), new Array(128).fill(0x82));
  assert.deepEqual([fits.fieldCount, fits.overLimit, fits.fields.length], [128, false, 256]);
  const over = decode(new HpackDecoder(), new Array(129).fill(0x82));
  assert.deepEqual([over.fieldCount, over.overLimit, over.fields.length], [129, true, 256]);
});

test("keeps nothing after the first field that went over the limit, but counts it", () => {
  const block = decode(
    new HpackDecoder({ maxListBytes: 100 }),
    withoutIndexing("n", "v".repeat(100)),
    withoutIndexing("m", "w"),
    0x82,
  );
  assert.deepEqual([block.overLimit, block.fieldCount, block.listBytes], [true, 3, 133 + 34 + 42]);
  assert.deepEqual(block.fields, []);
});

test("keeps the table in step while a list is over the limit", () => {
  const texts = ["a", "bb", "c".repeat(40), "d".repeat(100), "e".repeat(167), "f".repeat(168), "g".repeat(500), "h"];
  for (const limits of [{ maxListBytes: 200 }, { maxListBytes: 4000, maxFields: 1 }]) {
    const limited = new HpackDecoder({ ...limits, maxTableBytes: 200 });
    const unlimited = new HpackDecoder({ maxListBytes: 1 << 20, maxFields: 1000, maxTableBytes: 200 });
    for (let from = 0; from < texts.length; from++) {
      const block = [...texts, ...texts]
        .slice(from, from + 6)
        .flatMap((text, at) => [
          ...(at % 2 === 0 ? withIndexing("n", text) : [0x40, ...packed(text), ...packed("v")]),
          ...withoutIndexing("x", text),
        ]);
      assert.equal(decode(limited, block).overLimit, true);
      assert.equal(decode(unlimited, block).overLimit, false);
      assert.deepEqual(tableOf(limited), tableOf(unlimited));
    }
  }
});

/** The table's fields, newest first, read one by one until an index is refused. */
function tableOf(decoder: HpackDecoder): (readonly string[])[] {
  const entries: (readonly string[])[] = [];
  try {
    for (let index = 62; ; index++) entries.push(decode(decoder, indexed(index)).fields);
  } catch (error) {
    assert.ok(error instanceof HpackError);
  }
  return entries;
}
