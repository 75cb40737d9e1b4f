import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { brotliCompressSync, constants } from "node:zlib";
import { Code } from "@connectrpc/connect";
import { assertStatus } from "@tercel/grpc/testing";
import { inflateBrotli } from "./inflate-brotli.ts";

const maxBytes = 4 * 1024 * 1024;

function deflate(text: Uint8Array): Buffer {
  // The highest level takes a second for each 64 MiB.
  return brotliCompressSync(text, { params: { [constants.BROTLI_PARAM_QUALITY]: 2 } });
}

describe("Brotli", () => {
  it("is inflated up to the limit, in memory as large as the result", async () => {
    for (const length of [0, 1, 1000, 65_536, 65_537, 1_000_000, maxBytes]) {
      const text = Buffer.alloc(length, "text that repeats. ");
      const inflated = await inflateBrotli(deflate(text), maxBytes);
      assert.ok(text.equals(inflated), `${length} bytes`);
      assert.equal(inflated.buffer.byteLength, length);
    }
  });

  it("over the limit is refused, by a byte as well", async () => {
    for (const length of [maxBytes + 1, 16 * maxBytes]) {
      const inflating = inflateBrotli(deflate(Buffer.alloc(length)), maxBytes);
      await assertStatus(inflating, Code.ResourceExhausted, /exceeds the limit of 4194304 bytes/);
    }
    await assertStatus(inflateBrotli(deflate(Buffer.from("a")), 0), Code.ResourceExhausted, /limit of 0 bytes/);
  });

  it("that is damaged, cut off or followed by something else is refused", async () => {
    const whole = deflate(Buffer.alloc(200_000, "text that repeats. "));
    const refused = /message is not valid br/;
    await assertStatus(inflateBrotli(Buffer.from("not Brotli at all"), maxBytes), Code.Internal, refused);
    await assertStatus(inflateBrotli(whole.subarray(0, -1), maxBytes), Code.Internal, refused);
    await assertStatus(inflateBrotli(Buffer.alloc(0), maxBytes), Code.Internal, refused);
    const followed = Buffer.concat([whole, Buffer.from("a")]);
    await assertStatus(inflateBrotli(followed, maxBytes), Code.Internal, /followed by something else/);
  });

  it("leaves no memory behind that waits to be collected, however it ends", async () => {
    const bomb = deflate(Buffer.alloc(16 * maxBytes));
    const cutOff = deflate(Buffer.alloc(maxBytes - 1)).subarray(0, -1);
    await Promise.allSettled([inflateBrotli(bomb, maxBytes), inflateBrotli(cutOff, maxBytes)]);
    const before = process.memoryUsage().arrayBuffers;
    let most = 0;
    for (let count = 0; count < 20; count++) {
      await assert.rejects(inflateBrotli(bomb, maxBytes));
      await assert.rejects(inflateBrotli(cutOff, maxBytes));
      await new Promise((resolve) => setImmediate(resolve));
      most = Math.max(most, process.memoryUsage().arrayBuffers - before);
    }
    // Each of the forty has had 4 MiB.
    assert.ok(most < maxBytes, `${most} bytes`);
  });
});
