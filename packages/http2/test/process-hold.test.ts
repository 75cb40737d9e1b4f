import assert from "node:assert/strict";
import { test } from "node:test";
import { createScriptedClient } from "../src/testing/index.ts";
import { ok, post } from "./example-fields.ts";

async function connected(unrefWhenIdle?: boolean) {
  const scripted = createScriptedClient(unrefWhenIdle === undefined ? {} : { unrefWhenIdle });
  await scripted.peer.shakeHands();
  return scripted;
}

test("keeps the process alive from the first open stream to the end of the last", async () => {
  const { peer, channel, request, settle } = await connected(true);
  assert.equal(channel.isReferenced, false);
  request(post, { endStream: true });
  const second = request(post, { endStream: true });
  assert.equal(channel.isReferenced, true);
  peer.sendHeaders(1, ok, { endStream: true });
  await settle();
  assert.equal(channel.isReferenced, true);
  second.stream?.reset();
  assert.equal(channel.isReferenced, false);
  // Nothing but the transitions costs a call into the system: the start, the first stream, the last one.
  assert.equal(channel.referenceChanges, 3);
});

test("does not for streams that are unreferenced, however they end", async () => {
  const { peer, channel, connection, request, settle } = await connected(true);
  const watch = request(post, { endStream: true });
  watch.stream?.unref();
  watch.stream?.unref();
  assert.equal(channel.isReferenced, false);
  request(post, { endStream: true });
  assert.equal(channel.isReferenced, true);
  peer.sendHeaders(3, ok, { endStream: true });
  await settle();
  assert.equal(channel.isReferenced, false);
  connection.close();
  watch.stream?.unref();
  assert.equal(channel.isReferenced, false);
});

test("leaves the process to whoever made the connection unless it is asked", async () => {
  const { channel, request } = await connected();
  request(post, { endStream: true }).stream?.reset();
  assert.equal(channel.referenceChanges, 0);
});
