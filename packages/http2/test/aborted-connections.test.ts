// Connections that end in the middle of something must leave nothing behind (CVE-2025-23085, CVE-2026-48937 in other engines).
import assert from "node:assert/strict";
import { test } from "node:test";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { createScriptedServer, type ScriptedConnection } from "../src/testing/index.ts";
import { ok, patterned, post } from "./example-fields.ts";

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as () => void;

/** How a connection with an open stream comes to its end. */
const ends: readonly ((scripted: ScriptedConnection) => void)[] = [
  ({ channel }) => channel.closeByPeer(),
  ({ channel }) => channel.closeByPeer(new Error("ECONNRESET")),
  // A fault, upon which the peer does not close: the connection does, a second later.
  ({ peer, clock }) => {
    peer.sendWindowUpdate(0, 0);
    clock.advance(1000);
  },
  ({ peer, channel }) => {
    peer.sendRaw(Buffer.from("0000ff0000000001aabb", "hex"));
    channel.closeByPeer();
  },
  // Our own doing, with a peer that does not close either.
  ({ connection, clock }) => {
    connection.close();
    clock.advance(1000);
  },
];

async function abort(connections: number): Promise<void> {
  for (let i = 0; i < connections; i++) {
    const scripted = createScriptedServer();
    const { peer, events, settle } = scripted;
    await peer.shakeHands({ initialWindowSize: 5 });
    peer.sendHeaders(1, [...post, "x-request", String(i)]);
    const { stream } = events.stream(1);
    stream?.hold();
    stream?.sendHeaders(ok);
    stream?.sendData(patterned(1000), i % 2 === 0);
    ends[i % ends.length]?.(scripted);
    await settle();
    assert.equal(events.closes, 1);
    assert.equal(scripted.clock.pendingTimers, 0);
    assert.ok(events.stream(1).log.includes("reset"));
  }
}

async function heapBytes(): Promise<number> {
  for (let round = 0; round < 3; round++) {
    collect();
    await new Promise((resolve) => setImmediate(resolve));
  }
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

test("leaves nothing behind of connections that were cut off, whatever was under way", async () => {
  const connections = 2000;
  await abort(1000);
  const before = await heapBytes();
  await abort(connections);
  const perConnection = ((await heapBytes()) - before) / connections;
  assert.ok(perConnection < 1024, `${Math.round(perConnection)} bytes are left of each`);
});
