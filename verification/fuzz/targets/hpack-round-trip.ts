/** The decoder reads what the encoder writes, for any lists, prepared lists and changes of the table size. */
import assert from "node:assert/strict";
import { HpackDecoder, HpackEncoder, PreparedHeaders } from "../../../packages/http2/src/hpack/index.ts";
import { assertSameTexts } from "./assert-same.ts";
import { WireSource } from "./wire-source.ts";

const names = [
  ":method",
  ":path",
  ":status",
  "te",
  "content-type",
  "cookie",
  "authorization",
  "trace-bin",
  "date",
  "x-a",
];
const values = ["GET", "POST", "/", "200", "trailers", "", "a=b; c=d", "x".repeat(300)];
const maxSteps = 64;
const target = new Uint8Array(1 << 17);

export function fuzz(bytes: Uint8Array): void {
  const source = new WireSource(bytes);
  const encoder = new HpackEncoder(source.byte() * 40, ["x-unindexed"]);
  const decoder = new HpackDecoder({ maxListBytes: 1 << 20, maxFields: 10_000 });
  const prepared = [new PreparedHeaders([]), new PreparedHeaders([])];
  for (let step = 0; step < maxSteps && !source.isEmpty; step++) {
    const kind = source.byte();
    if (kind >= 0xe0) {
      const tableBytes = source.uint16() & 0x3fff;
      encoder.setPeerMaxTableBytes(tableBytes);
      decoder.setMaxTableBytes(tableBytes);
      continue;
    }
    const slot = kind & 1;
    let fields: readonly string[];
    let end: number;
    if (kind >= 0xc0) {
      prepared[slot] = new PreparedHeaders(list(source));
      continue;
    }
    if (kind >= 0x80) {
      const known = prepared[slot] as PreparedHeaders;
      fields = known.fields;
      end = encoder.encodePrepared(known, target, slot);
    } else {
      fields = list(source);
      end = encoder.encode(fields, target, slot);
    }
    assert.ok(end - slot <= encoder.maxEncodedBytes(fields), "longer than announced");
    const block = decoder.decode(target, slot, end);
    assertSameTexts(block.fields, fields);
    assert.equal(block.overLimit, false);
  }
}

function list(source: WireSource): string[] {
  const fields: string[] = [];
  for (let left = source.byte() & 7; left > 0; left--) {
    fields.push(text(source, names).toLowerCase(), text(source, values));
  }
  return fields;
}

/** A known text, or bytes of the input. */
function text(source: WireSource, known: readonly string[]): string {
  const choice = source.byte();
  if (choice < 0x80) return known[choice % known.length] as string;
  return Buffer.from(source.take(choice & 0x3f)).toString("latin1");
}
