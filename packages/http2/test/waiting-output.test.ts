// Requests are held while too much of earlier responses waits for their peer.
import assert from "node:assert/strict";
import { test } from "node:test";
import { SharedOutput } from "../src/connection/flow/shared-output.ts";
import { defaultLimits } from "../src/connection/limits.ts";
import { ErrorCode, type Http2Stream } from "../src/index.ts";
import { createScriptedServer, type ScriptedOptions } from "../src/testing/index.ts";
import { ok, patterned, post } from "./example-fields.ts";

const responseBytes = 100;
const limits = { output: { maxWaitingBytes: 1000, streamBufferBytes: responseBytes } };

/** A server that answers each request at once; `begun` are the streams of those whose handlers have begun. */
async function openServer(options: ScriptedOptions = {}) {
  const begun: number[] = [];
  const run = (stream: Http2Stream): void => {
    begun.push(stream.id);
    stream.sendHeaders(ok);
    stream.sendData(patterned(responseBytes), true);
  };
  const scripted = createScriptedServer({
    limits,
    ...options,
    onStream(recorded, stream) {
      Object.assign(recorded, { onAdmitted: () => run(stream) });
      if (stream.admit(0)) run(stream);
    },
  });
  await scripted.peer.shakeHands({ initialWindowSize: 0 });
  const request = (count: number, from = 1): void => {
    for (let id = from; id < from + 2 * count; id += 2) scripted.peer.sendHeaders(id, post, { endStream: true });
  };
  return { ...scripted, begun, request };
}

const odd = (count: number): number[] => Array.from({ length: count }, (_, nth) => 2 * nth + 1);

test("holds requests while more than the limit waits for the peer's window, and begins them in order as it takes that", async () => {
  const { peer, begun, request, events, settle } = await openServer();
  request(20);
  await settle();
  // The eleventh finds 1000 bytes, which is not over the limit.
  assert.deepEqual(begun, odd(11));
  assert.deepEqual(events.limits, ["waiting_output paused"]);
  peer.sendWindowUpdate(1, responseBytes - 1);
  await settle();
  assert.deepEqual(begun, odd(11));
  peer.sendWindowUpdate(1, 1);
  await settle();
  assert.deepEqual(begun, odd(12));
  for (let id = 3; id < 40; id += 2) {
    peer.sendWindowUpdate(id, responseBytes);
    await settle();
  }
  assert.deepEqual(begun, odd(20));
  for (const id of odd(20)) assert.equal(events.stream(id).stream?.isClosed, true);
});

test("reads other frames while requests are held, and never begins one that the peer resets", async () => {
  const { peer, begun, request, settle } = await openServer();
  request(15);
  peer.sendReset(25, ErrorCode.cancel);
  peer.sendPing();
  assert.equal((await peer.nextOf("PING")).ack, true);
  // What a reset takes along makes room as well.
  peer.sendReset(1, ErrorCode.cancel);
  peer.sendReset(3, ErrorCode.cancel);
  await settle();
  assert.deepEqual(begun, [...odd(12), 27]);
});

test("holds those connections first that hold the most of what all may, and begins their requests when others hold less", async () => {
  const sharedOutput = new SharedOutput({ ...defaultLimits.output, sharedWaitingBytes: 1000 });
  const first = await openServer({ sharedOutput });
  const second = await openServer({ sharedOutput });
  first.request(20);
  await first.settle();
  // The ninth finds 800 bytes here, and 200 left for all.
  assert.deepEqual(first.begun, odd(9));
  second.request(20);
  await second.settle();
  // As many as a connection always may.
  assert.deepEqual(second.begun, odd(2));
  for (const id of first.begun) first.peer.sendReset(id, ErrorCode.cancel);
  await first.settle();
  second.clock.advance(1000);
  await second.settle();
  assert.ok(second.begun.length > 2);
});

test("always begins the requests of a connection for which little waits, whatever others hold", async () => {
  const sharedOutput = new SharedOutput({ ...defaultLimits.output, sharedWaitingBytes: 0 });
  const { peer, begun, request, settle } = await openServer({ sharedOutput });
  request(20);
  await settle();
  assert.deepEqual(begun, odd(2));
  for (let id = 1; id < 40; id += 2) {
    peer.sendWindowUpdate(id, responseBytes);
    await settle();
  }
  assert.deepEqual(begun, odd(20));
});

test("counts what waits to the byte: as data is sent, as streams are reset, and when the connection is lost", async () => {
  const sharedOutput = new SharedOutput(defaultLimits.output);
  const { peer, request, settle, connection } = await openServer({ sharedOutput, limits: {} });
  request(5);
  await settle();
  assert.equal(sharedOutput.waitingBytes, 500);
  peer.sendWindowUpdate(1, 30);
  await settle();
  assert.equal(sharedOutput.waitingBytes, 470);
  peer.sendReset(1, ErrorCode.cancel);
  peer.sendWindowUpdate(3, responseBytes);
  await settle();
  assert.equal(sharedOutput.waitingBytes, 300);
  connection.socketClosed(new Error("reset"));
  assert.equal(sharedOutput.waitingBytes, 0);
});
