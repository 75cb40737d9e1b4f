import assert from "node:assert/strict";
import { test } from "node:test";
import { HpackDecoder } from "./decoder.ts";
import { HpackEncoder } from "./encoder.ts";
import { PreparedHeaders } from "./prepared-headers.ts";

/** Marsaglia's xorshift: the same numbers in each run, so that a failure can be had again. */
function createRandom(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % below;
  };
}

const names = [
  ":method",
  ":path",
  ":status",
  "te",
  "content-type",
  "x-request-id",
  "authorization",
  "trace-bin",
  "date",
  "x".repeat(70),
  ...Array.from({ length: 400 }, (_, at) => `custom-${at}`),
];

for (const seed of [1, 77, 4096, 20_251]) {
  test(`brings random lists back through tables of changing size, seed ${seed}`, () => {
    const random = createRandom(seed);
    const encoder = new HpackEncoder(8192);
    const decoder = new HpackDecoder({ maxListBytes: 1 << 20, maxFields: 1000 });
    const target = Buffer.alloc(1 << 20);
    const values = Array.from({ length: 50 }, () => randomText(random));
    let prepared = new PreparedHeaders([]);
    for (let round = 0; round < 3000; round++) {
      if (random(40) === 0) {
        for (let changes = 1 + random(3); changes > 0; changes--) {
          const tableBytes = random(2) === 0 ? random(300) : random(10_000);
          encoder.setPeerMaxTableBytes(tableBytes);
          decoder.setMaxTableBytes(tableBytes);
        }
      }
      const list = Array.from({ length: random(12) }, () => [
        names[random(random(3) === 0 ? names.length : 12)] as string,
        random(4) === 0 ? randomText(random) : (values[random(values.length)] as string),
      ]).flat();
      if (random(20) === 0) prepared = new PreparedHeaders(list);
      const usesPrepared = random(3) === 0;
      const fields = usesPrepared ? prepared.fields : list;
      const end = usesPrepared ? encoder.encodePrepared(prepared, target, 7) : encoder.encode(list, target, 7);
      assert.ok(end - 7 <= encoder.maxEncodedBytes(fields));
      assert.deepEqual(decoder.decode(target, 7, end).fields, fields);
    }
  });
}

test("throws nothing but HpackError on random bytes", () => {
  const random = createRandom(5);
  for (let round = 0; round < 20_000; round++) {
    const decoder = new HpackDecoder({ maxListBytes: 500, maxFields: 10 });
    const bytes = Uint8Array.from({ length: random(40) }, () => (random(3) === 0 ? 0x40 | random(8) : random(256)));
    try {
      const block = decoder.decode(bytes, 0, bytes.length);
      assert.ok(block.overLimit || block.fields.length === 2 * block.fieldCount);
    } catch (error) {
      assert.equal((error as Error).name, "HpackError");
    }
  }
});

function randomText(random: (below: number) => number): string {
  const length = random(8) === 0 ? random(400) : random(30);
  const readable = random(2) === 0;
  return String.fromCharCode(...Array.from({ length }, () => (readable ? 97 + random(26) : random(256))));
}
