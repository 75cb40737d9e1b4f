// Output memory is used again and again without being cleared: nothing that was not written since may be sent.
import assert from "node:assert/strict";
import { test } from "node:test";
import { OutputArena } from "../src/bytes/output-arena.ts";
import { outputSlabs } from "../src/bytes/slab-pool.ts";
import { createScriptedServer } from "../src/testing/index.ts";
import { ok, post } from "./example-fields.ts";

const marker = 0xa5;

function fillPool(): void {
  const slabs = Array.from({ length: 32 }, () => outputSlabs.take());
  for (const slab of slabs) {
    slab.fill(marker);
    outputSlabs.give(slab);
  }
}

test("sends no byte that was not written, whatever way the data takes", async () => {
  const { peer, events, channel, settle } = createScriptedServer();
  peer.recordsWire = true;
  await peer.shakeHands({ initialWindowSize: 2 ** 31 - 1 });
  peer.sendWindowUpdate(0, 2 ** 30);
  let id = 1;
  for (let round = 0; round < 200; round++, id += 2) {
    fillPool();
    peer.sendHeaders(id, [...post, "x-round", String(round)], { endStream: true });
    const stream = events.stream(id).stream;
    assert.ok(stream !== undefined);
    stream.sendHeaders(ok, false, ["x-round", "7".repeat(round * 90)]);
    const offset = stream.reserveData(round * 10);
    if (offset !== -1) {
      // Less than was reserved.
      const bytes = round * 7;
      stream.outputBytes.fill(1, offset, offset + bytes);
      stream.commitData(offset, bytes, false);
    }
    stream.sendData(Buffer.alloc((round * 997) % 70_000, 2));
    peer.sendPing();
    // A third of the rounds leaves while the socket holds bytes back.
    if (round % 3 === 0) channel.holdWrites();
    stream.sendTrailers(["x-end", "9".repeat(round)]);
    await settle();
    channel.releaseWrites();
    await settle();
    while (peer.unread.length > 0) await peer.nextFrame();
  }
  const wire = Buffer.concat(peer.wire);
  assert.ok(wire.length > 5_000_000);
  assert.equal(wire.includes(Buffer.alloc(3, marker)), false);
});

test("gives parts in the order in which they were collected, slabs and buffers mixed", () => {
  const arena = new OutputArena();
  const expected: Buffer[] = [];
  for (let i = 0; i < 50; i++) {
    const bytes = (i * 4001) % 70_000;
    const content = Buffer.alloc(bytes, i + 1);
    expected.push(content);
    if (i % 4 === 0) {
      arena.append(content);
    } else {
      const offset = arena.reserve(bytes);
      arena.bytes.set(content, offset);
      arena.length = offset + bytes;
    }
  }
  const whole = Buffer.concat(expected);
  assert.equal(arena.pendingBytes, whole.length);
  assert.ok(Buffer.concat(arena.take()).equals(whole));
  assert.equal(arena.pendingBytes, 0);
  assert.deepEqual(arena.take(), []);
});

test("does not write into what was taken out and has not left", () => {
  const arena = new OutputArena();
  const write = (value: number): void => {
    const offset = arena.reserve(10);
    arena.bytes.fill(value, offset, offset + 10);
    arena.length = offset + 10;
  };
  write(1);
  const first = arena.take();
  arena.detach();
  fillPool();
  write(2);
  const second = arena.take();
  assert.deepEqual([...Buffer.concat(first)], new Array(10).fill(1));
  assert.deepEqual([...Buffer.concat(second)], new Array(10).fill(2));
});

test("uses a slab again once its bytes have left, and pools none of another size", () => {
  const arena = new OutputArena();
  arena.reserve(10);
  const slab = arena.bytes;
  arena.recycle();
  assert.equal(outputSlabs.take(), slab);
  arena.reserve(outputSlabs.slabBytes + 1);
  const large = arena.bytes;
  assert.equal(large.length, outputSlabs.slabBytes + 1);
  arena.recycle();
  assert.notEqual(outputSlabs.take(), large);
});
