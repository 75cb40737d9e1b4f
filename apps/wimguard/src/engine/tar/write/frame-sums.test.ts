import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { describe, it } from "node:test";
import { crc32 } from "node:zlib";
import { FrameSums } from "./frame-sums.ts";

const offsets = [0, 10, 11, 500];
const bytes = randomBytes(700);

function sumsOf(content: Buffer, starts: readonly number[], chunkBytes: number): Map<number, number> {
  const sums = new FrameSums(starts.map((fileOffset) => ({ offset: 0, bytes: 0, fileOffset })));
  for (let at = 0; at < content.length; at += chunkBytes) sums.add(content.subarray(at, at + chunkBytes));
  return sums.sums;
}

describe("FrameSums", () => {
  for (const chunkBytes of [1, 7, 300, 700]) {
    it(`are those of each frame, in chunks of ${chunkBytes} bytes`, () => {
      const expected = offsets.map((start, at) => [start, crc32(bytes.subarray(start, offsets[at + 1]))]);
      assert.deepEqual([...sumsOf(bytes, offsets, chunkBytes)], expected);
    });
  }

  it("are the same for a part of the file, and others for a frame that has changed", () => {
    const whole = sumsOf(bytes, offsets, 64);
    const part = sumsOf(bytes.subarray(10, 500), [10, 11], 64);
    assert.deepEqual(
      [...part],
      [10, 11].map((start) => [start, whole.get(start)]),
    );
    const changed = Buffer.from(bytes);
    changed[400] = (changed[400] as number) ^ 1;
    const differing = [...sumsOf(changed, offsets, 64)].filter(([start, sum]) => sum !== whole.get(start));
    assert.deepEqual(
      differing.map(([start]) => start),
      [11],
    );
  });
});
