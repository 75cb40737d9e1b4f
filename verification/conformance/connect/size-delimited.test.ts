import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { formatDelimited, maxDelimitedBytes, readDelimited } from "./size-delimited.ts";

async function* chunksOf(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

async function readAll(input: AsyncIterable<Uint8Array>): Promise<string[]> {
  const texts: string[] = [];
  for await (const message of readDelimited(input)) texts.push(Buffer.from(message).toString());
  return texts;
}

describe("size-delimited messages", () => {
  const three = Buffer.concat(["one", "", "three"].map((text) => formatDelimited(Buffer.from(text))));

  it("can be written and read again, for any chunks of the stream", async () => {
    for (let size = 1; size <= three.length; size++) {
      assert.deepEqual(await readAll(chunksOf(three, size)), ["one", "", "three"], `chunks of ${size}`);
    }
  });

  it("follow their length in network byte order", () => {
    assert.deepEqual([...formatDelimited(new Uint8Array(258)).subarray(0, 4)], [0, 0, 1, 2]);
  });

  it("are refused if the stream ends inside one", async () => {
    await assert.rejects(readAll(chunksOf(three.subarray(0, three.length - 1), 5)), /ended 8 bytes into a message/);
  });

  it("are refused above the limit, by the announced length alone", async () => {
    const length = Buffer.alloc(4);
    length.writeUInt32BE(maxDelimitedBytes + 1);
    await assert.rejects(readAll(chunksOf(length, 4)), RangeError);
    length.writeUInt32BE(maxDelimitedBytes);
    await assert.rejects(readAll(chunksOf(length, 4)), /ended 4 bytes into a message/);
  });
});
