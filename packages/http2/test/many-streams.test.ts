// What many streams cost a connection, one after another and next to each other. Several engines kept something of each.
import assert from "node:assert/strict";
import { test } from "node:test";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { ErrorCode } from "../src/index.ts";
import { createScriptedServer, type ScriptedConnection } from "../src/testing/index.ts";
import { ok, patterned, post } from "./example-fields.ts";

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as () => void;

async function heldBytes(): Promise<number> {
  for (let round = 0; round < 3; round++) {
    collect();
    await new Promise((resolve) => setImmediate(resolve));
  }
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

/** Answers as soon as a request has ended, and keeps no record of it, which would be what a memory test measures. */
function createAnsweringServer(): ScriptedConnection {
  return createScriptedServer({
    onStream(_recorded, stream) {
      stream.listener = {
        onHead() {},
        onData: (_bytes, start, end) => stream.consume(end - start),
        onTrailers() {},
        onEnd: () => stream.sendHeaders(ok, true),
        onReset() {},
        onWritable() {},
      };
    },
  });
}

async function answered({ peer }: ScriptedConnection): Promise<number> {
  let heads = 0;
  while (peer.unread.length > 0) if ((await peer.nextFrame()).type === "HEADERS") heads++;
  return heads;
}

const manyStreams = 20_000;
const atOnce = 100;

test("answers 20,000 requests of a single byte each, which ends them, without taking them for tiny pieces", async () => {
  const scripted = createAnsweringServer();
  const { peer, settle } = scripted;
  await peer.shakeHands();
  let heads = 0;
  for (let begun = 0; begun < manyStreams; begun += atOnce) {
    for (let i = 0; i < atOnce; i++) {
      const id = 2 * (begun + i) + 1;
      peer.sendHeaders(id, post);
      peer.sendData(id, "x", { endStream: true });
    }
    await settle();
    heads += await answered(scripted);
  }
  assert.equal(heads, manyStreams);
  await peer.expectAlive();
});

test("answers other requests next to one that stopped in the middle of its data", async () => {
  const scripted = createAnsweringServer();
  const { peer, settle } = scripted;
  await peer.shakeHands();
  peer.sendHeaders(1, post);
  peer.sendData(1, patterned(10_000));
  for (let id = 3; id < 203; id += 2) {
    peer.sendHeaders(id, post);
    peer.sendData(id, patterned(100), { endStream: true });
  }
  await settle();
  assert.equal(await answered(scripted), 100);
  peer.sendData(1, patterned(10), { endStream: true });
  assert.equal((await peer.nextOf("HEADERS")).streamId, 1);
});

test("keeps nothing of streams that the client reset", async () => {
  const scripted = createAnsweringServer();
  const { peer, clock, settle, events } = scripted;
  await peer.shakeHands();
  let id = -1;
  const resetMany = async (count: number): Promise<void> => {
    for (let begun = 0; begun < count; begun += 30) {
      for (let i = 0; i < 30; i++) {
        id += 2;
        peer.sendHeaders(id, [...post, "x-number", String(id)]);
        peer.sendData(id, patterned(100));
        peer.sendReset(id, ErrorCode.cancel);
      }
      // So many may be reset in a second, for ever.
      clock.advance(1000);
      await settle();
      while (peer.unread.length > 0) await peer.nextFrame();
      // The test's own records would be all that grows.
      events.streams.clear();
    }
  };
  await resetMany(3000);
  const before = await heldBytes();
  await resetMany(6000);
  const perStream = ((await heldBytes()) - before) / 6000;
  assert.ok(perStream < 64, `${Math.round(perStream)} bytes are left of each`);
  await peer.expectAlive();
});

test("gives the connection's credit back for padded data on a stream that is over", async () => {
  const scripted = createAnsweringServer();
  const { peer, settle, events } = scripted;
  await peer.shakeHands();
  peer.sendHeaders(1, post);
  events.stream(1).stream?.reset(ErrorCode.cancel);
  await settle();
  let credit = 0;
  let sent = 0;
  for (let i = 0; i < 100; i++) {
    peer.sendData(1, patterned(3000), { padding: 200 });
    sent += 3000 + 201;
  }
  await settle();
  for (const frame of peer.unread)
    if (frame.type === "WINDOW_UPDATE" && frame.streamId === 0) credit += frame.increment;
  // What is not given back yet is less than the least that is worth a frame.
  assert.ok(sent - credit < 262_144, `${sent - credit} of ${sent} bytes are missing`);
  peer.sendData(1, "", { endStream: true });
  while (peer.unread.length > 0) await peer.nextFrame();
  peer.sendData(1, patterned(3000), { padding: 200 });
  await peer.expectNothingMore();
});
