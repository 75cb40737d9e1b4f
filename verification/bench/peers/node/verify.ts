/**
 * `<target> [canned|first]` calls every method of an echo server with grpc-js and compares the responses, so that no failing server is
 * measured. With `canned` it makes only the call that a server of fixed bytes can respond to. With `first` it calls only the oldest
 * methods, which servers of older checkouts have. Exit code 0 without output if all responses are right;
 * otherwise the problem is on stderr.
 */

import assert from "node:assert/strict";
import { UNARY_MESSAGE } from "../echo-values.ts";
import { toUser, userRows } from "../users.ts";
import { createEchoClient, type EchoClient } from "./grpc-js/echo-client.ts";

const request = { message: "to and fro", payload: Buffer.from([0, 1, 2, 253, 254, 255]) };
const extents: Record<string, readonly ((client: EchoClient) => Promise<void>)[]> = {
  canned: [verifySameCall],
  first: [verifyFirstMethods],
  all: [verifyFirstMethods, verifyLaterMethods],
};
const [target, extent = "all"] = process.argv.slice(2);
const steps = extents[extent];
if (target === undefined || steps === undefined) throw new Error("usage: verify <target> [canned|first]");
const client = createEchoClient(target);
for (const step of steps) await step(client);
client.close();

/** Several calls, because a server of fixed bytes could be right once by chance. */
async function verifySameCall(client: EchoClient): Promise<void> {
  const request = { message: UNARY_MESSAGE, payload: Buffer.alloc(0) };
  const responses = await Promise.all(Array.from({ length: 100 }, () => client.unary(request)));
  for (const { message } of responses) assert.equal(message, UNARY_MESSAGE, "unary: the message comes back");
}

async function verifyFirstMethods(client: EchoClient): Promise<void> {
  const response = await client.unary(request);
  assert.equal(response.message, request.message, "unary: the message comes back");
  assert.deepEqual(response.payload, request.payload, "unary: the payload comes back");

  // Larger than a frame and the initial flow control window of 65,535 bytes.
  const large = { message: "", payload: Buffer.alloc(1 << 20, 0xab) };
  assert.deepEqual((await client.unary(large)).payload, large.payload, "unary: a payload of 1 MiB comes back");

  let responses = 0;
  await client.serverStream({ count: 250, payloadSize: 16 }, ({ payload }) => {
    responses++;
    assert.equal(payload.length, 16, "server streaming: each payload has the requested size");
  });
  assert.equal(responses, 250, "server streaming: the requested number of responses");

  const summary = await client.clientStream(
    Array.from({ length: 250 }, () => ({ message: "", payload: Buffer.alloc(16) })),
  );
  assert.deepEqual(summary, { messages: 250, payloadBytes: 4000 }, "client streaming: the server counts what was sent");
}

async function verifyLaterMethods(client: EchoClient): Promise<void> {
  const later = await client.unaryLater(request);
  assert.deepEqual(later, { ...request }, "unary later: message and payload come back");

  const { users, total } = await client.listUsers({ pageSize: 20 });
  assert.deepEqual(users, userRows().map(toUser), "list of users: all 20 come as they are in the rows");
  assert.equal(total, 20, "list of users: the total is right");
  assert.equal((await client.listUsers({ pageSize: 3 })).users.length, 3, "list of users: a page may be smaller");
}
