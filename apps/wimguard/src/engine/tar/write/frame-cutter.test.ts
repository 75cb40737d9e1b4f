import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { describe, it } from "node:test";
import fc from "fast-check";
import { createFrameCutter } from "./frame-cutter.ts";

describe("createFrameCutter", () => {
  it("cuts at the first member that begins at the least size or after it", () => {
    const cutter = createFrameCutter({ minBytes: 10, maxBytes: 100 });
    const frames = cutter.push(Buffer.alloc(40), [0, 9, 10, 15, 25]);
    assert.deepEqual(
      frames.map(({ offset, bytes }) => [offset, bytes]),
      [
        [0, 10],
        [10, 15],
      ],
    );
    assert.equal(cutter.end()?.bytes, 15);
    assert.equal(cutter.end(), undefined);
  });

  it("cuts inside a member only when the frame would become larger than the largest", () => {
    const cutter = createFrameCutter({ minBytes: 10, maxBytes: 20 });
    assert.deepEqual(cutter.push(Buffer.alloc(20), [0]), []);
    assert.equal(cutter.push(Buffer.alloc(1), [])[0]?.bytes, 20);
  });

  it("cuts at a border that came with the bytes before", () => {
    const cutter = createFrameCutter({ minBytes: 10, maxBytes: 100 });
    assert.deepEqual(cutter.push(Buffer.alloc(12), [0]), []);
    assert.equal(cutter.push(Buffer.alloc(5), [11])[0]?.bytes, 11);
  });

  it("keeps every byte in order, however the stream is split", () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 1, max: 60 }), { maxLength: 30 }),
        fc.array(fc.nat(999), { maxLength: 20 }),
        (sizes, marks) => {
          const total = sizes.reduce((sum, size) => sum + size, 0);
          const data = Buffer.from(Array.from({ length: total }, (_, at) => at % 251));
          const borders = [...new Set(marks.filter((mark) => mark <= total))].sort((a, b) => a - b);
          const cutter = createFrameCutter({ minBytes: 16, maxBytes: 48 });
          const frames = [];
          let at = 0;
          for (const size of sizes) {
            const end = at + size;
            frames.push(
              ...cutter.push(
                data.subarray(at, end),
                borders.filter((border) => border > at && border <= end),
              ),
            );
            at = end;
          }
          const last = cutter.end();
          if (last !== undefined) frames.push(last);
          assert.ok(Buffer.concat(frames.flatMap(({ parts }) => parts)).equals(data));
          let expected = 0;
          for (const { offset, bytes } of frames) {
            assert.equal(offset, expected);
            assert.ok(bytes <= 48);
            expected += bytes;
          }
          for (const { offset, bytes } of frames.slice(0, -1))
            assert.ok(bytes >= 16 || !borders.includes(offset + bytes));
        },
      ),
    );
  });
});
