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
      frames.map(({ offset, data }) => [offset, data.length]),
      [
        [0, 10],
        [10, 15],
      ],
    );
    assert.equal(cutter.end()?.data.length, 15);
    assert.equal(cutter.end(), undefined);
  });

  it("cuts inside a member only when the frame would become larger than the largest", () => {
    const cutter = createFrameCutter({ minBytes: 10, maxBytes: 20 });
    assert.deepEqual(cutter.push(Buffer.alloc(20), [0]), []);
    assert.equal(cutter.push(Buffer.alloc(1), [])[0]?.data.length, 20);
  });

  it("cuts at a border that came with the bytes before", () => {
    const cutter = createFrameCutter({ minBytes: 10, maxBytes: 100 });
    assert.deepEqual(cutter.push(Buffer.alloc(12), [0]), []);
    assert.equal(cutter.push(Buffer.alloc(5), [11])[0]?.data.length, 11);
  });

  it("fills the memory of a frame again that was released, and of no other", () => {
    const cutter = createFrameCutter({ minBytes: 10, maxBytes: 20 });
    const [first, second] = cutter.push(Buffer.from(`${"a".repeat(20)}${"b".repeat(20)}c`), []);
    assert.ok(first !== undefined && second !== undefined);
    cutter.release(first);
    const [third] = cutter.push(Buffer.from(`${"c".repeat(19)}d`), []);
    const [fourth] = cutter.push(Buffer.from("d".repeat(20)), []);
    assert.deepEqual(
      [second, third, fourth].map((frame) => frame?.data.toString()),
      ["b".repeat(20), "c".repeat(20), "d".repeat(20)],
    );
    assert.equal(fourth?.data.buffer, first.data.buffer);
  });

  it("keeps every byte in order, however the stream is split", () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 1, max: 60 }), { maxLength: 30 }),
        fc.array(fc.nat(999), { maxLength: 20 }),
        (sizes, marks) => {
          const total = sizes.reduce((sum, size) => sum + size, 0);
          const content = Buffer.from(Array.from({ length: total }, (_, at) => at % 251));
          const borders = [...new Set(marks.filter((mark) => mark <= total))].sort((a, b) => a - b);
          const cutter = createFrameCutter({ minBytes: 16, maxBytes: 48 });
          const frames = [];
          let at = 0;
          for (const size of sizes) {
            const end = at + size;
            frames.push(
              ...cutter.push(
                content.subarray(at, end),
                borders.filter((border) => border > at && border <= end),
              ),
            );
            at = end;
          }
          const last = cutter.end();
          if (last !== undefined) frames.push(last);
          assert.ok(Buffer.concat(frames.map(({ data }) => data)).equals(content));
          let expected = 0;
          for (const { offset, data } of frames) {
            assert.equal(offset, expected);
            assert.ok(data.length <= 48);
            expected += data.length;
          }
          for (const { offset, data } of frames.slice(0, -1))
            assert.ok(data.length >= 16 || !borders.includes(offset + data.length));
        },
      ),
    );
  });
});
