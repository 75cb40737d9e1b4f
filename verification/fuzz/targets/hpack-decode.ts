/**
 * A decoder with tight limits reads the same as one with wide limits. It throws if that throws, returns the same list or the part of
 * it that fits, has the same counts, and stays synchronized with the table after a list over a limit.
 */
import assert from "node:assert/strict";
import { type HeaderBlock, HpackDecoder, HpackError } from "../../../packages/http2/src/hpack/index.ts";
import { assertSameTexts } from "./assert-same.ts";
import { WireSource } from "./wire-source.ts";

const maxBlocks = 32;

export function fuzz(bytes: Uint8Array): void {
  const source = new WireSource(bytes);
  const limits = { maxListBytes: source.byte() * 8, maxFields: source.byte() & 31 };
  const tight = new HpackDecoder(limits);
  const roomy = new HpackDecoder({ maxListBytes: 1 << 24, maxFields: 1 << 20 });
  for (let blocks = 0; blocks < maxBlocks && !source.isEmpty; blocks++) {
    const head = source.byte();
    if (head >= 0xf0) {
      const tableBytes = (head & 7) * 600;
      tight.setMaxTableBytes(tableBytes);
      roomy.setMaxTableBytes(tableBytes);
      continue;
    }
    const block = source.take(head);
    const all = decode(roomy, block, 0);
    const some = decode(tight, block, 5);
    if (all === undefined || some === undefined) {
      // A compression error ends the connection.
      assert.equal(some, all);
      return;
    }
    verify(all, some, limits);
  }
}

/** Returns undefined if the block was refused. `offset` changes its position in memory. */
function decode(decoder: HpackDecoder, block: Uint8Array, offset: number): HeaderBlock | undefined {
  const memory = new Uint8Array(offset + block.length + offset).fill(0x82);
  memory.set(block, offset);
  try {
    return decoder.decode(memory, offset, offset + block.length);
  } catch (error) {
    assert.ok(error instanceof HpackError, String(error));
    return undefined;
  }
}

function verify(all: HeaderBlock, some: HeaderBlock, limits: { maxListBytes: number; maxFields: number }): void {
  assert.equal(all.overLimit, false);
  assert.equal(all.fields.length, 2 * all.fieldCount);
  let listBytes = 0;
  let fitting = 0;
  for (let at = 0; at < all.fields.length; at += 2) {
    listBytes += (all.fields[at] as string).length + (all.fields[at + 1] as string).length + 32;
    if (listBytes <= limits.maxListBytes && at / 2 < limits.maxFields) fitting = at + 2;
  }
  assert.equal(all.listBytes, listBytes);
  assert.equal(some.listBytes, listBytes);
  assert.equal(some.fieldCount, all.fieldCount);
  assert.equal(some.overLimit, fitting < all.fields.length);
  assertSameTexts(some.fields, all.fields.slice(0, fitting));
}

export const dictionary = [
  Uint8Array.of(0x40, 1, 0x61, 1, 0x62),
  Uint8Array.of(0x3f, 0xe1, 0x1f),
  Uint8Array.of(0x20),
  Uint8Array.of(0xbe),
  Uint8Array.of(0xff, 0x80, 0x80, 0x80, 0x80, 0x01),
  Uint8Array.of(0x00, 0x81, 0x1f, 0x81, 0x1f),
  Uint8Array.of(0x7f, 0x00),
  Uint8Array.of(0x10),
];
