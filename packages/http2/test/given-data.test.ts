// Payloads whose memory is freed once they have left: never before, and never what others may still look at.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Http2Stream } from "../src/index.ts";
import { createScriptedServer, type ScriptedConnection } from "../src/testing/index.ts";
import { ok, patterned, post } from "./example-fields.ts";

const payloadBytes = 100_000;

/** Fills a buffer of its own, which Node's pool would not give. */
function ownBuffer(): Uint8Array {
  return new Uint8Array(patterned(payloadBytes));
}

async function answering(windowBytes: number): Promise<ScriptedConnection & { stream: Http2Stream }> {
  const scripted = createScriptedServer();
  await scripted.peer.shakeHands({ initialWindowSize: windowBytes });
  scripted.peer.sendWindowUpdate(0, 1_000_000);
  scripted.peer.sendHeaders(1, post, { endStream: true });
  const { stream } = scripted.events.stream(1);
  assert.ok(stream !== undefined);
  stream.sendHeaders(ok);
  await scripted.peer.nextOf("HEADERS");
  return { ...scripted, stream };
}

async function receivedData({ peer, settle }: ScriptedConnection): Promise<Buffer> {
  await settle();
  const parts: Buffer[] = [];
  while (peer.unread.length > 0) {
    const frame = await peer.nextFrame();
    assert.ok(frame.type === "DATA", `expected only DATA, got ${frame.type}`);
    parts.push(frame.data);
  }
  return Buffer.concat(parts);
}

test("frees a payload that was given once it has left, and sends all of it", async () => {
  const scripted = await answering(payloadBytes);
  const payload = ownBuffer();
  scripted.stream.giveData(payload, true);
  assert.ok((await receivedData(scripted)).equals(patterned(payloadBytes)));
  assert.equal(payload.length, 0);
});

test("frees nothing while the socket holds a byte back", async () => {
  const scripted = await answering(payloadBytes);
  const payload = ownBuffer();
  scripted.channel.holdWrites();
  scripted.stream.giveData(payload, true);
  await scripted.settle();
  scripted.channel.releaseWrites(payloadBytes);
  await scripted.settle();
  assert.ok(scripted.channel.writableLength > 0);
  assert.equal(payload.length, payloadBytes);
  scripted.channel.releaseWrites();
  assert.ok((await receivedData(scripted)).equals(patterned(payloadBytes)));
  assert.equal(payload.length, 0);
});

test("frees nothing while a byte waits for the window", async () => {
  const scripted = await answering(payloadBytes - 1);
  const payload = ownBuffer();
  scripted.stream.giveData(payload, true);
  const first = await receivedData(scripted);
  assert.equal(first.length, payloadBytes - 1);
  assert.equal(payload.length, payloadBytes);
  scripted.peer.sendWindowUpdate(1, 1);
  const last = await receivedData(scripted);
  assert.ok(Buffer.concat([first, last]).equals(patterned(payloadBytes)));
  assert.equal(payload.length, 0);
});

test("frees nothing that was collected while an earlier write ends", async () => {
  const scripted = await answering(2 * payloadBytes);
  const [first, second] = [ownBuffer(), ownBuffer()];
  scripted.channel.holdWrites();
  scripted.stream.giveData(first);
  await scripted.settle();
  // The channel says "written" in a tick, and what is given here leaves in a tick of its own.
  scripted.channel.releaseWrites();
  scripted.channel.holdWrites();
  scripted.stream.giveData(second, true);
  await scripted.settle();
  assert.equal(second.length, payloadBytes);
  scripted.channel.releaseWrites();
  const all = await receivedData(scripted);
  assert.ok(all.equals(Buffer.concat([patterned(payloadBytes), patterned(payloadBytes)])));
  assert.deepEqual([first.length, second.length], [0, 0]);
});

test("leaves the rest of a larger buffer to those who hold it", async () => {
  const scripted = await answering(payloadBytes);
  const whole = ownBuffer();
  scripted.stream.giveData(whole.subarray(1), true);
  assert.ok((await receivedData(scripted)).equals(patterned(payloadBytes).subarray(1)));
  assert.equal(whole.length, payloadBytes);
});

test("does not free what was only lent", async () => {
  const scripted = await answering(payloadBytes);
  const payload = ownBuffer();
  scripted.stream.sendData(payload, true);
  assert.ok((await receivedData(scripted)).equals(patterned(payloadBytes)));
  assert.equal(payload.length, payloadBytes);
});

test("leaves a payload of a stream that was reset to the garbage collector", async () => {
  const scripted = await answering(10);
  const payload = ownBuffer();
  scripted.stream.giveData(payload, true);
  await receivedData(scripted);
  scripted.peer.sendReset(1, 8);
  await scripted.settle();
  assert.equal(payload.length, payloadBytes);
  scripted.peer.sendHeaders(3, post, { endStream: true });
  scripted.events.stream(3).stream?.sendHeaders(ok, true);
  await scripted.peer.nextOf("HEADERS");
});
