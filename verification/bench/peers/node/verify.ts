/**
 * Calls every method of an echo server through grpc-js and compares the answers, so that no server is measured while
 * failing: <target>. Exit code 0 and no output when all is right; otherwise what was wrong, on stderr.
 */

import assert from "node:assert/strict";
import { createEchoClient } from "./grpc-js/echo-client.ts";

const target = process.argv[2];
if (target === undefined) throw new Error("usage: verify <target>");
const client = createEchoClient(target);

const request = { message: "to and fro", payload: Buffer.from([0, 1, 2, 253, 254, 255]) };
const response = await client.unary(request);
assert.equal(response.message, request.message, "unary: the message comes back");
assert.deepEqual(response.payload, request.payload, "unary: the payload comes back");

// Larger than a frame and than the initial flow control window of 65,535 bytes.
const large = { message: "", payload: Buffer.alloc(1 << 20, 0xab) };
assert.deepEqual((await client.unary(large)).payload, large.payload, "unary: a payload of 1 MiB comes back");

let responses = 0;
await client.serverStream({ count: 250, payloadSize: 16 }, ({ payload }) => {
  responses++;
  assert.equal(payload.length, 16, "server streaming: each payload has the size asked for");
});
assert.equal(responses, 250, "server streaming: as many responses as were asked for");

const summary = await client.clientStream(
  Array.from({ length: 250 }, () => ({ message: "", payload: Buffer.alloc(16) })),
);
assert.deepEqual(summary, { messages: 250, payloadBytes: 4000 }, "client streaming: the server counts what was sent");

client.close();
