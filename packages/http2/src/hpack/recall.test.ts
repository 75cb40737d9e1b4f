import assert from "node:assert/strict";
import { test } from "node:test";
import { HpackDecoder } from "./decoder.ts";

const bytesOf = (...bytes: number[]) => Uint8Array.from(bytes);

function decode(decoder: HpackDecoder, bytes: Uint8Array) {
  return decoder.decode(bytes, 0, bytes.length);
}

/** A literal with indexing, n: text. */
function insertion(text: string): Uint8Array {
  return Uint8Array.from([0x40, 1, 0x6e, text.length, ...Buffer.from(text, "latin1")]);
}

test("returns the same block for the same bytes, wherever they lie", () => {
  const decoder = new HpackDecoder();
  const first = decode(decoder, bytesOf(0x83, 0x86, 0x84));
  const shifted = bytesOf(0x00, 0x00, 0x83, 0x86, 0x84, 0x00);
  assert.equal(decoder.decode(shifted, 2, 5), first);
  assert.deepEqual(first.fields, [":method", "POST", ":scheme", "http", ":path", "/"]);
});

test("recalls blocks with literals that are not indexed", () => {
  const decoder = new HpackDecoder();
  const bytes = bytesOf(0x83, 0x00, 0x01, 0x61, 0x01, 0x62);
  assert.equal(decode(decoder, bytes), decode(decoder, bytes.slice()));
});

test("tells blocks apart that differ in one byte, at every place and length", () => {
  for (const length of [1, 2, 5, 15, 16, 31, 32, 33, 64, 95, 96, 97, 128]) {
    const decoder = new HpackDecoder();
    const bytes = new Uint8Array(length).fill(0x82);
    const block = decode(decoder, bytes);
    for (let at = 0; at < length; at++) {
      const other = bytes.slice();
      other[at] = 0x83;
      assert.equal(decode(decoder, other).fields[2 * at + 1], "POST");
    }
    assert.equal(block.fields.includes("POST"), false);
  }
});

test("does not mistake a block for the beginning of a longer one", () => {
  const decoder = new HpackDecoder();
  for (let length = 1; length <= 64; length++) {
    assert.equal(decode(decoder, new Uint8Array(length).fill(0x82)).fieldCount, length);
    assert.equal(decode(decoder, new Uint8Array(length - 1).fill(0x82)).fieldCount, length - 1);
  }
});

test("never recalls a block from before an insertion, an eviction or a resize", () => {
  const decoder = new HpackDecoder({ maxTableBytes: 68 });
  const newest = bytesOf(0xbe);
  for (const text of ["1", "2", "3", "1"]) {
    decode(decoder, insertion(text));
    assert.deepEqual(decode(decoder, newest).fields, ["n", text]);
    assert.equal(decode(decoder, newest), decode(decoder, newest));
  }
  const before = decode(decoder, newest);
  decode(decoder, bytesOf(0x3f, 0x25));
  assert.notEqual(decode(decoder, newest), before);
  decode(decoder, bytesOf(0x20));
  assert.throws(() => decode(decoder, newest));
});

test("never recalls a block that changes the table", () => {
  const decoder = new HpackDecoder();
  const second = bytesOf(0xbf);
  decode(decoder, insertion("1"));
  decode(decoder, insertion("1"));
  assert.deepEqual(decode(decoder, second).fields, ["n", "1"]);
  const resize = bytesOf(0x3f, 0xe1, 0x1f, 0x82);
  assert.notEqual(decode(decoder, resize), decode(decoder, resize));
});

test("does not recall a block while a size update is owed", () => {
  const decoder = new HpackDecoder();
  decode(decoder, bytesOf(0x82));
  decoder.setMaxTableBytes(0);
  assert.throws(() => decode(decoder, bytesOf(0x82)));
});

test("still recalls the first blocks when others have made it grow", () => {
  const decoder = new HpackDecoder();
  const bytes = Array.from({ length: 14 }, (_, at) => bytesOf(0x82 + at));
  const blocks = bytes.map((each) => decode(decoder, each));
  assert.deepEqual(
    bytes.map((each) => blocks.indexOf(decode(decoder, each))),
    blocks.map((_, at) => at),
  );
});

test("does not remember a block over the limit", () => {
  const decoder = new HpackDecoder({ maxFields: 1 });
  const bytes = bytesOf(0x82, 0x82);
  assert.notEqual(decode(decoder, bytes), decode(decoder, bytes));
});

test("remembers blocks of up to 2,048 bytes", () => {
  const decoder = new HpackDecoder({ maxFields: 3000, maxListBytes: 1 << 20 });
  const fits = new Uint8Array(2048).fill(0x82);
  const over = new Uint8Array(2049).fill(0x82);
  assert.equal(decode(decoder, fits), decode(decoder, fits));
  assert.notEqual(decode(decoder, over), decode(decoder, over));
});

test("keeps no more than 16 KiB, and goes on remembering when that is full", () => {
  const decoder = new HpackDecoder({ maxFields: 3000, maxListBytes: 1 << 20 });
  const blocks = Array.from({ length: 64 }, (_, number) => {
    const bytes = new Uint8Array(2048).fill(0x82);
    bytes[number] = 0x83;
    return bytes;
  });
  const seen = blocks.map((bytes) => {
    const block = decode(decoder, bytes);
    assert.equal(decode(decoder, bytes), block);
    return block;
  });
  // From the newest on, because a miss makes room for itself.
  let kept = 0;
  while (decode(decoder, blocks.at(-1 - kept) as Uint8Array) === seen.at(-1 - kept)) kept++;
  assert.ok(kept >= 1 && kept <= 8, `${kept} blocks are still there`);
});

test("keeps what the layer above has derived from a block", () => {
  const decoder = new HpackDecoder();
  const bytes = bytesOf(0x82);
  assert.equal(decode(decoder, bytes).memo, undefined);
  decode(decoder, bytes).memo = "derived";
  assert.equal(decode(decoder, bytes).memo, "derived");
});
