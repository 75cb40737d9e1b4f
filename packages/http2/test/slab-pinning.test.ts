// A view of a chunk keeps all of the chunk alive: many peers with little said must not hold much memory.
import assert from "node:assert/strict";
import { test } from "node:test";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { createScriptedServer, type ScriptedConnection } from "../src/testing/index.ts";
import { post } from "./example-fields.ts";

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as () => void;

/** Bytes of all array buffers that are still alive once no one needs them; they are given up a turn after their collection. */
async function heldBytes(): Promise<number> {
  for (let round = 0; round < 3; round++) {
    collect();
    await new Promise((resolve) => setImmediate(resolve));
  }
  return process.memoryUsage().arrayBuffers;
}

/** `count` connections, each of which has read one chunk of 64 KiB that ended within something. */
async function connectionsLeftAt(tail: (scripted: ScriptedConnection) => Buffer, count: number): Promise<number> {
  const kept: ScriptedConnection[] = [];
  for (let i = 0; i < count; i++) {
    const scripted = createScriptedServer();
    await scripted.peer.shakeHands();
    kept.push(scripted);
  }
  const before = await heldBytes();
  for (const scripted of kept) {
    const end = tail(scripted);
    const chunk = Buffer.alloc(65_536);
    // An unknown frame that takes what the end leaves, in pieces of what a frame may hold.
    let at = 0;
    for (let left = chunk.length - end.length; left > 0; ) {
      const bytes = Math.min(left, 16_384 + 9);
      chunk.writeUIntBE(bytes - 9, at, 3);
      chunk[at + 3] = 0x42;
      at += bytes;
      left -= bytes;
    }
    chunk.set(end, at);
    scripted.connection.receive(chunk);
    await scripted.settle();
  }
  const held = (await heldBytes()) - before;
  assert.equal(kept.length, count);
  for (const { events } of kept) assert.equal(events.closes, 0);
  return held / count;
}

for (const [what, tail] of [
  ["half a frame header", () => Buffer.from("00000806", "hex")],
  ["half a PING", () => Buffer.from("0000080600000000000102", "hex")],
  [
    "half a header block",
    ({ peer }: ScriptedConnection) =>
      peer.headersFrame(1, peer.encodeHeaders(post).subarray(0, 4), { endHeaders: false }),
  ],
  [
    "a request that has just begun",
    ({ peer }: ScriptedConnection) => peer.headersFrame(1, [...post, "x-name", "value"]),
  ],
] as const) {
  test(`keeps no chunk alive for what it has left half read: ${what}`, async () => {
    const held = await connectionsLeftAt(tail, 50);
    assert.ok(held < 4096, `${Math.round(held)} bytes are held for each connection`);
  });
}
