import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { randomBytes } from "node:crypto";
import { describe, it } from "node:test";
import { constants, zstdCompressSync } from "node:zlib";
import { FailureError } from "../failure/failure.ts";
import { compressFrame } from "./compress-frame.ts";
import { decompressFrames, formatSkippable, readFrames, ZstdFrameSplitter } from "./zstd-frames.ts";

const contents = [
  Buffer.alloc(0),
  Buffer.from("hello"),
  Buffer.alloc(300_000, 7),
  randomBytes(200_000),
  Buffer.from(Array.from({ length: 400_000 }, (_, at) => (at * at) % 251)),
];
const withChecksum = { params: { [constants.ZSTD_c_checksumFlag]: 1 } };
const skippable = Buffer.from([0x50, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 1, 2, 3]);
const frames = contents.flatMap((content) => [zstdCompressSync(content), zstdCompressSync(content, withChecksum)]);
const archive = Buffer.concat([...frames, skippable]);

async function* chunksOf(bytes: Buffer, size: number): AsyncGenerator<Buffer> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

async function decompress(bytes: Buffer, size: number): Promise<Buffer> {
  const parts = [];
  for await (const part of decompressFrames(chunksOf(bytes, size))) parts.push(part);
  return Buffer.concat(parts);
}

async function isDamaged(bytes: Buffer): Promise<void> {
  await assert.rejects(
    decompress(bytes, 65_536),
    (error) => error instanceof FailureError && error.failure.reason === "ARCHIVE_DAMAGED",
  );
}

describe("ZstdFrameSplitter", () => {
  for (const size of [1, 3, 1000, archive.length]) {
    it(`finds the end of each frame in chunks of ${size} bytes`, () => {
      const splitter = new ZstdFrameSplitter();
      const found: Buffer[] = [];
      let parts: Buffer[] = [];
      for (let at = 0; at < archive.length; at += size) {
        for (const { bytes, isLast } of splitter.push(archive.subarray(at, at + size))) {
          parts.push(bytes);
          if (!isLast) continue;
          found.push(Buffer.concat(parts));
          parts = [];
        }
      }
      splitter.end();
      assert.deepEqual(found, [...frames, skippable]);
    });
  }
});

describe("readFrames", () => {
  for (const size of [1000, archive.length]) {
    it(`says where frames end, and what skippable ones hold, in chunks of ${size} bytes`, async () => {
      const ends: number[] = [];
      const held: Buffer[] = [];
      for await (const part of readFrames(
        chunksOf(Buffer.concat([formatSkippable(Buffer.from("text")), archive]), size),
      )) {
        if (part.kind === "end") ends.push(part.fileOffset);
        if (part.kind === "skippable") held.push(part.content);
      }
      const expected = frames.map(
        (_, at) => 12 + frames.slice(0, at + 1).reduce((sum, frame) => sum + frame.length, 0),
      );
      assert.deepEqual(ends, expected);
      assert.deepEqual(held, [Buffer.from("text"), Buffer.from([1, 2, 3])]);
    });
  }
});

describe("decompressFrames", () => {
  it("returns the content of all frames, however they come", async () => {
    const expected = Buffer.concat(contents.flatMap((content) => [content, content]));
    for (const size of [5000, archive.length]) assert.ok((await decompress(archive, size)).equals(expected));
  });

  it("reports a frame whose header lies about its size", async () => {
    const frame = await compressFrame(Buffer.alloc(3_000_000, "a"), 3);
    const at = frame.indexOf(Buffer.from(new Uint32Array([3_000_000]).buffer));
    assert.ok(at > 4 && at < 10);
    for (const size of [0, 2_999_999, 3_000_001, 17 * 1024 * 1024]) {
      frame.writeUInt32LE(size, at);
      await isDamaged(frame);
    }
  });

  it("does not keep a small frame that takes more than its content, as one of many empty blocks does", async () => {
    // Magic number, a single segment of one byte, empty raw blocks, and the last one with the byte.
    const frame = Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0x20, 1, ...Array(3_000).fill(0), 9, 0, 0, 65]);
    for (const size of [20, frame.length]) assert.equal((await decompress(frame, size)).toString(), "A");
  });

  it("reports a frame that is cut off, one that was changed, and bytes that are none", async () => {
    const frame = frames[5] as Buffer;
    await isDamaged(frame.subarray(0, -1));
    await isDamaged(frame.subarray(0, 3));
    const changed = Buffer.from(frame);
    changed[changed.length - 1] = (changed.at(-1) as number) ^ 1;
    await isDamaged(changed);
    await isDamaged(Buffer.concat([frame, Buffer.from("tail")]));
    await isDamaged(Buffer.from("not an archive"));
  });
});

describe("compressFrame", () => {
  for (const bytes of [1, 300, 200_000, 3_000_000]) {
    it(`makes one frame with a checksum of ${bytes} bytes, whether they compress or not`, async () => {
      for (const content of [Buffer.alloc(bytes, "a"), randomBytes(bytes)]) {
        const frame = await compressFrame(content, 3);
        const pieces = new ZstdFrameSplitter().push(frame);
        assert.deepEqual(
          pieces.map(({ bytes: { length }, isLast }) => [length, isLast]),
          [[frame.length, true]],
        );
        assert.ok((await decompress(frame, 65_536)).equals(content));
        frame[frame.length - 1] = (frame.at(-1) as number) ^ 1;
        await isDamaged(frame);
      }
    });
  }
});
