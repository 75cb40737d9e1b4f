import assert from "node:assert/strict";
import { createHook } from "node:async_hooks";
import { availableParallelism } from "node:os";
import { test } from "node:test";
import { gunzipSync, gzipSync } from "node:zlib";
import { Code, ConnectError } from "@connectrpc/connect";
import { gzipCompression } from "./gzip-compression.ts";

const mebibyte = 1024 * 1024;

async function refusal(bytes: Uint8Array, maxBytes: number): Promise<ConnectError> {
  try {
    await gzipCompression.decompress(bytes, maxBytes);
  } catch (error) {
    assert.ok(error instanceof ConnectError, String(error));
    return error;
  }
  assert.fail("was not refused");
}

/** Bytes that hardly compress, so that sizes on both sides of the thread pool's threshold occur. */
function noise(length: number): Uint8Array {
  let state = 12_345;
  return Uint8Array.from({ length }, () => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    return state >>> 24;
  });
}

for (const length of [0, 1, 1000, 16 * 1024, 16 * 1024 + 1, 200_000]) {
  test(`gives back ${length} bytes`, async () => {
    for (const bytes of [noise(length), new Uint8Array(length)]) {
      const compressed = await gzipCompression.compress(bytes);
      assert.equal(compressed.constructor, Uint8Array);
      assert.deepEqual(new Uint8Array(gunzipSync(compressed)), bytes);
      const decompressed = await gzipCompression.decompress(compressed, length);
      assert.equal(decompressed.constructor, Uint8Array);
      assert.deepEqual(decompressed, bytes);
    }
  });
}

for (const length of [65_536, 300_000, mebibyte]) {
  test(`gives ${length} bytes back in one piece of their size`, async () => {
    const compressed = await gzipCompression.compress(noise(length));
    const decompressed = await gzipCompression.decompress(compressed, 4 * mebibyte);
    assert.equal(decompressed.length, length);
    assert.ok(decompressed.buffer.byteLength <= length + 1, `${decompressed.buffer.byteLength} bytes are held`);
  });
}

test("gives back several members of which the last is the least", async () => {
  const large = noise(300_000);
  const members = Buffer.concat([gzipSync(large), gzipSync(new Uint8Array([7]))]);
  const decompressed = await gzipCompression.decompress(members, mebibyte);
  assert.deepEqual(decompressed, new Uint8Array([...large, 7]));
});

test("answers at once for small messages", () => {
  assert.ok(gzipCompression.compress(noise(100)) instanceof Uint8Array);
  assert.ok(gzipCompression.decompress(gzipSync(noise(100)), 100) instanceof Uint8Array);
});

for (const length of [1, 1023, 1024, 4096, 64 * 1024, 64 * 1024 + 1, mebibyte]) {
  test(`accepts ${length} bytes of output at the limit and refuses one more`, async () => {
    for (const content of [noise(length), new Uint8Array(length)]) {
      const compressed = gzipSync(content);
      const decompressed = await gzipCompression.decompress(compressed, length);
      assert.equal(decompressed.length, length);
      assert.equal((await refusal(compressed, length - 1)).code, Code.ResourceExhausted);
    }
  });
}

test("refuses a decompression bomb without holding its output", async () => {
  const bomb = gzipSync(new Uint8Array(64 * mebibyte));
  const before = process.memoryUsage().arrayBuffers;
  assert.equal((await refusal(bomb, 4 * mebibyte)).code, Code.ResourceExhausted);
  assert.ok(process.memoryUsage().arrayBuffers - before < 16 * mebibyte);
});

test("refuses a chain of members that is too long in total", async () => {
  const member = gzipSync(new Uint8Array(1000));
  assert.equal((await gzipCompression.decompress(Buffer.concat([member, member]), 2000)).length, 2000);
  assert.equal((await refusal(Buffer.concat([member, member]), 1999)).code, Code.ResourceExhausted);
});

for (const [size, content] of [
  ["small", noise(100)],
  ["large", noise(100_000)],
] as const) {
  const compressed = gzipSync(content);

  test(`refuses a ${size} message that is cut off`, async () => {
    for (const end of [0, 1, 9, 10, compressed.length >> 1, compressed.length - 8, compressed.length - 1]) {
      assert.equal((await refusal(compressed.subarray(0, end), mebibyte)).code, Code.Internal, String(end));
    }
  });

  test(`refuses a ${size} message followed by something else`, async () => {
    for (const rest of [[0], [0, 0, 0, 0, 0], [0x1f], [0x1f, 0x8b], [0x1f, 0], [0x78], [1, 2, 3]]) {
      const error = await refusal(Buffer.concat([compressed, Buffer.from(rest)]), mebibyte);
      assert.equal(error.code, Code.Internal, String(rest));
    }
  });

  test(`refuses a ${size} message with a wrong checksum or length`, async () => {
    for (let back = 1; back <= 8; back++) {
      const damaged = Buffer.from(compressed);
      const at = damaged.length - back;
      damaged[at] = (damaged[at] ?? 0) ^ 0x10;
      assert.equal((await refusal(damaged, mebibyte)).code, Code.Internal, String(back));
    }
  });
}

test("refuses zlib and raw deflate streams", async () => {
  const { deflateSync, deflateRawSync } = await import("node:zlib");
  for (const bytes of [deflateSync(noise(50)), deflateRawSync(noise(50)), noise(50)]) {
    assert.equal((await refusal(bytes, mebibyte)).code, Code.Internal);
  }
});

test("serves many large messages at once, good and bad, each with its own outcome", async () => {
  const good = gzipSync(noise(100_000));
  const bad = good.subarray(0, -1);
  const outcomes = await Promise.all(
    Array.from({ length: 60 }, async (_, n) =>
      n % 3 === 0 ? (await refusal(bad, mebibyte)).code : (await gzipCompression.decompress(good, mebibyte)).length,
    ),
  );
  outcomes.forEach((outcome, n) => {
    assert.equal(outcome, n % 3 === 0 ? Code.Internal : 100_000);
  });
});

test("inflates no more than two large messages for each core at once, and the others in their turn", async (t) => {
  let begun = 0;
  const hook = createHook({
    init(_id, type) {
      if (type === "ZLIB") begun++;
    },
  });
  const message = gzipSync(noise(200_000));
  const most = 2 * availableParallelism();
  let ended = 0;
  hook.enable();
  t.after(() => hook.disable());
  const inflates = Array.from({ length: 3 * most + 1 }, async () => {
    const bytes = await gzipCompression.decompress(message, mebibyte);
    ended++;
    assert.ok(begun - ended <= most, `${begun - ended} are under way`);
    return bytes.length;
  });
  // Without a turn of the event loop none can end.
  for (let at = 0; at < 10; at++) await Promise.resolve();
  assert.equal(begun, most);
  assert.ok((await Promise.all(inflates)).every((bytes) => bytes === 200_000));
  assert.equal(begun, inflates.length);
});

test("begins no inflate for a call that was cut off while it waited, and gives its turn to the next", async (t) => {
  let begun = 0;
  const hook = createHook({
    init(_id, type) {
      if (type === "ZLIB") begun++;
    },
  });
  const message = gzipSync(noise(200_000));
  const most = 2 * availableParallelism();
  hook.enable();
  t.after(() => hook.disable());
  const running = Array.from({ length: most }, () => gzipCompression.decompress(message, mebibyte));
  const takeRoom = () => undefined;
  const call = { isCutOff: false, takeRoom };
  const waiting = Array.from({ length: 10 }, () => gzipCompression.decompress(message, mebibyte, call));
  const other = gzipCompression.decompress(message, mebibyte, { isCutOff: false, takeRoom });
  call.isCutOff = true;
  for (const dropped of waiting) await assert.rejects(async () => dropped, { code: Code.Canceled });
  assert.equal((await other).length, 200_000);
  await Promise.all(running);
  assert.equal(begun, most + 1);
});

/** The room that inflating asks for. */
async function roomFor(bytes: Uint8Array, maxBytes: number): Promise<number[]> {
  const asked: number[] = [];
  const call = { isCutOff: false, takeRoom: (room: number) => void asked.push(room) };
  await gzipCompression.decompress(bytes, maxBytes, call);
  return asked;
}

test("asks for room for what a large message announces, and for all that is allowed when it is more", async () => {
  const first = gzipSync(new Uint8Array(300_000));
  assert.deepEqual(await roomFor(first, mebibyte), [300_000]);
  const last = gzipSync(new Uint8Array([7]));
  const members = Buffer.concat([first, last]);
  assert.deepEqual(await roomFor(members, mebibyte), [members.length, mebibyte]);
  assert.deepEqual(await roomFor(gzipSync(noise(1000)), mebibyte), []);
});

test("begins to inflate when there is room, and not at all when the call was cut off in the meantime", async () => {
  const message = gzipSync(new Uint8Array(300_000));
  const room = Promise.withResolvers<void>();
  const call = { isCutOff: false, takeRoom: () => room.promise };
  let isDone = false;
  const good = Promise.resolve(gzipCompression.decompress(message, mebibyte, call)).finally(() => {
    isDone = true;
  });
  const other = { isCutOff: false, takeRoom: () => room.promise };
  const dropped = assert.rejects(async () => gzipCompression.decompress(message, mebibyte, other), {
    code: Code.Canceled,
  });
  await gzipCompression.decompress(message, mebibyte);
  assert.equal(isDone, false);
  other.isCutOff = true;
  room.resolve();
  assert.equal((await good).length, 300_000);
  await dropped;
});

test("inflates in one piece of the message's size where there is room for it, however small it came", async () => {
  const call = { isCutOff: false, takeRoom: () => undefined };
  const bomb = gzipSync(new Uint8Array(4 * mebibyte));
  assert.ok(bomb.length < 5000);
  const decompressed = await gzipCompression.decompress(bomb, 4 * mebibyte, call);
  assert.equal(decompressed.length, 4 * mebibyte);
  assert.equal(decompressed.buffer.byteLength, 4 * mebibyte + 1);
});

test("holds no more than a message needs when its announcement was of no use", async () => {
  const call = { isCutOff: false, takeRoom: () => undefined };
  const members = Buffer.concat([gzipSync(new Uint8Array(300_000)), gzipSync(new Uint8Array([7]))]);
  const decompressed = await gzipCompression.decompress(members, 4 * mebibyte, call);
  assert.equal(decompressed.length, 300_001);
  assert.equal(decompressed.at(-1), 7);
  assert.equal(decompressed.buffer.byteLength, 300_001);
});
