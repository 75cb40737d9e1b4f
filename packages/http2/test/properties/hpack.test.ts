import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { HpackDecoder, HpackEncoder, HpackError, PreparedHeaders } from "../../src/hpack/index.ts";
import { propertyOptions } from "./property-options.ts";

const byteText = (maxLength: number): fc.Arbitrary<string> =>
  fc.uint8Array({ maxLength }).map((bytes) => Buffer.from(bytes).toString("latin1"));
const lowerCase = byteText(30).map((text) => text.replace(/[A-Z]/g, "x"));

const name = fc.oneof(
  fc.constantFrom(
    ":method",
    ":path",
    ":status",
    "content-type",
    "cookie",
    "authorization",
    "x-request-id",
    "trace-bin",
  ),
  lowerCase,
);
const value = fc.oneof(fc.constantFrom("GET", "200", "/", "", "application/json", "a=b"), byteText(200));
const list = fc.array(fc.tuple(name, value), { maxLength: 10 }).map((fields) => fields.flat());
const tableBytes = fc.oneof(fc.nat(300), fc.nat(10_000), fc.constantFrom(0, 31, 32, 33, 4096, 65_536));

type Step =
  | { kind: "list"; fields: string[] }
  | { kind: "prepared"; slot: number }
  | { kind: "resize"; sizes: number[] };

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ kind: fc.constant("list" as const), fields: list }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant("prepared" as const), slot: fc.nat(1) }) },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant("resize" as const),
      sizes: fc.array(tableBytes, { minLength: 1, maxLength: 3 }),
    }),
  },
);

describe("HPACK, whatever the lists", () => {
  test("brings them back through resizes of the table, and writes no more than announced", () => {
    const target = new Uint8Array(1 << 16);
    fc.assert(
      fc.property(
        tableBytes,
        fc.tuple(list, list),
        fc.array(step, { maxLength: 40, size: "max" }),
        (ownBytes, known, steps) => {
          const encoder = new HpackEncoder(ownBytes);
          const decoder = new HpackDecoder({ maxListBytes: 1 << 20, maxFields: 1000 });
          const prepared = known.map((fields) => new PreparedHeaders(fields));
          for (const one of steps) {
            if (one.kind === "resize") {
              for (const size of one.sizes) {
                encoder.setPeerMaxTableBytes(size);
                decoder.setMaxTableBytes(size);
              }
              continue;
            }
            const constant = one.kind === "prepared" ? (prepared[one.slot] as PreparedHeaders) : undefined;
            const fields = constant?.fields ?? (one as { fields: string[] }).fields;
            const end =
              constant === undefined ? encoder.encode(fields, target, 3) : encoder.encodePrepared(constant, target, 3);
            assert.ok(end - 3 <= encoder.maxEncodedBytes(fields));
            assert.deepEqual(decoder.decode(target, 3, end).fields, fields);
          }
        },
      ),
      propertyOptions(500),
    );
  });

  test("answers any bytes with a list or an HpackError, and the same wherever they lie", () => {
    const blocks = fc.array(fc.uint8Array({ maxLength: 60 }), { minLength: 1, maxLength: 6 });
    fc.assert(
      fc.property(blocks, fc.nat(2000), fc.nat(20), (given, maxListBytes, maxFields) => {
        const decoders = [0, 1].map(() => new HpackDecoder({ maxListBytes, maxFields }));
        for (const block of given) {
          const outcomes = decoders.map((decoder, offset) => {
            const memory = Buffer.concat([Buffer.alloc(offset * 9, 0x82), block, Buffer.alloc(offset * 9, 0x82)]);
            try {
              return decoder.decode(memory, offset * 9, offset * 9 + block.length);
            } catch (error) {
              assert.ok(error instanceof HpackError);
              return undefined;
            }
          });
          assert.deepEqual(outcomes[1], outcomes[0]);
          const [first] = outcomes;
          if (first === undefined) return;
          assert.ok(first.fields.length <= 2 * maxFields);
          assert.equal(first.overLimit, first.listBytes > maxListBytes || first.fieldCount > maxFields);
        }
      }),
      propertyOptions(5000),
    );
  });
});
