// Messages larger than a window get credit while they are held: up to a budget, and then one after the other.
import assert from "node:assert/strict";
import { test } from "node:test";
import { SharedUnfinished } from "../src/connection/flow/unfinished-messages.ts";
import { type ConnectionLimitOptions, ErrorCode } from "../src/index.ts";
import { createScriptedServer, type ScriptedConnection } from "../src/testing/index.ts";
import { patterned, post } from "./example-fields.ts";

const piece = patterned(16_384);
const kib = 1024;

/** A server whose layer above holds all that comes, as that of messages which are not complete. */
async function holding(
  limits: ConnectionLimitOptions = {},
  sharedUnfinished?: SharedUnfinished,
): Promise<ScriptedConnection> {
  const scripted = createScriptedServer({
    limits: {
      windows: { streamBytes: 256 * kib, ...limits.windows },
      unfinishedMessages: { maxBytes: 128 * kib, ...limits.unfinishedMessages },
    },
    ...(sharedUnfinished === undefined ? {} : { sharedUnfinished }),
    onStream(recorded) {
      recorded.consumes = false;
      recorded.during = (call, stream) => {
        if (call === "data") stream.lend(Number(recorded.log.at(-1)?.split(" ")[1]));
      };
    },
  });
  await scripted.peer.shakeHands();
  return scripted;
}

function send({ peer }: ScriptedConnection, streamId: number, bytes: number): void {
  for (let left = bytes; left > 0; left -= piece.length) peer.sendData(streamId, piece.subarray(0, left));
}

/** The credit that each stream got, and the windows that were announced, since it was last asked. */
async function credit(scripted: ScriptedConnection): Promise<Record<string, number>> {
  await scripted.settle();
  const got: Record<string, number> = {};
  while (scripted.peer.unread.length > 0) {
    const frame = await scripted.peer.nextFrame();
    if (frame.type === "WINDOW_UPDATE" && frame.streamId > 0) {
      got[frame.streamId] = (got[frame.streamId] ?? 0) + frame.increment;
    }
    if (frame.type === "SETTINGS" && !frame.ack) got.window = frame.entries[0]?.[1] as number;
  }
  return got;
}

test("gives credit at once up to the budget, and beyond makes windows small and tells of it once", async () => {
  const scripted = await holding();
  const { peer, events } = scripted;
  for (const id of [1, 3]) peer.sendHeaders(id, post);
  send(scripted, 1, 128 * kib);
  assert.deepEqual(await credit(scripted), { 1: 128 * kib });
  assert.deepEqual(events.limits, []);
  send(scripted, 3, 128 * kib);
  assert.deepEqual(await credit(scripted), { window: 65_535 });
  assert.deepEqual(events.limits, ["unfinished_messages paused"]);
});

test("gives the first its credit however large it is, the others in their order once there is room, and wide windows at the end", async () => {
  const scripted = await holding();
  const { peer, events } = scripted;
  for (const id of [1, 3, 5]) peer.sendHeaders(id, post);
  for (const id of [1, 3, 5]) send(scripted, id, 128 * kib);
  assert.deepEqual(await credit(scripted), { 1: 128 * kib, window: 65_535 });
  peer.sendSettingsAck();
  await scripted.settle();

  send(scripted, 1, 32 * kib);
  assert.deepEqual(await credit(scripted), { 1: 32 * kib });
  events.stream(1).stream?.repay();
  assert.deepEqual(await credit(scripted), { 3: 128 * kib });
  events.stream(3).stream?.repay();
  assert.deepEqual(await credit(scripted), { 5: 128 * kib });
  events.stream(5).stream?.repay();
  assert.deepEqual(await credit(scripted), { window: 256 * kib });
  await peer.expectAlive();
});

test("announces credit that was too little for a wide window when windows become small", async () => {
  const scripted = await holding();
  const { peer } = scripted;
  for (const id of [1, 3]) peer.sendHeaders(id, post);
  send(scripted, 1, 96 * kib);
  assert.deepEqual(await credit(scripted), {});
  send(scripted, 3, 64 * kib);
  assert.deepEqual(await credit(scripted), { window: 65_535 });
  peer.sendSettingsAck();
  assert.deepEqual(await credit(scripted), { 1: 96 * kib, 3: 32 * kib });
});

test("ends a stream that sends more than the small window once the peer has acknowledged it", async () => {
  const scripted = await holding();
  const { peer } = scripted;
  for (const id of [1, 3, 5]) peer.sendHeaders(id, post);
  for (const id of [1, 3]) send(scripted, id, 128 * kib);
  await credit(scripted);
  send(scripted, 5, 64 * kib);
  await scripted.settle();
  peer.sendSettingsAck();
  send(scripted, 5, 16 * kib);
  await peer.expectReset(5, ErrorCode.flowControlError);
});

test("lets the first have its message when the others have filled the connection's window", async () => {
  const windows = { windows: { streamBytes: 256 * kib, connectionBytes: 256 * kib } };
  const scripted = await holding(windows);
  const { peer } = scripted;
  for (const id of [1, 3]) peer.sendHeaders(id, post);
  send(scripted, 1, 128 * kib);
  await credit(scripted);
  send(scripted, 3, 256 * kib);
  await credit(scripted);
  assert.ok(scripted.connection.status().receiveWindowBytes <= 0);
  peer.sendSettingsAck();
  await scripted.settle();
  for (let round = 0; round < 40; round++) {
    assert.ok(scripted.connection.status().receiveWindowBytes >= 32 * kib, `round ${round}`);
    send(scripted, 1, 32 * kib);
    assert.equal((await credit(scripted))[1], 32 * kib);
  }
});

test("resets a message that brings nothing for ten seconds while others wait for what it holds, and gives them their turn", async () => {
  const scripted = await holding();
  const { peer, clock, events } = scripted;
  for (const id of [1, 3]) peer.sendHeaders(id, post);
  for (const id of [1, 3]) send(scripted, id, 128 * kib);
  await credit(scripted);
  peer.sendSettingsAck();
  await scripted.settle();
  clock.advance(9000);
  assert.deepEqual(await credit(scripted), {});
  clock.advance(2000);
  await peer.expectReset(1, ErrorCode.enhanceYourCalm);
  assert.deepEqual(await credit(scripted), { 3: 128 * kib });
  assert.deepEqual(events.limits, ["unfinished_messages paused", "unfinished_messages reset"]);
  await peer.expectAlive();
});

test("resets nothing that brings ten kilobytes in ten seconds, nor anything that no other waits for", async () => {
  const scripted = await holding();
  const { peer, clock, events } = scripted;
  for (const id of [1, 3]) peer.sendHeaders(id, post);
  send(scripted, 1, 128 * kib);
  for (let minute = 0; minute < 5; minute++) clock.advance(60_000);
  send(scripted, 3, 128 * kib);
  await credit(scripted);
  peer.sendSettingsAck();
  await scripted.settle();
  for (let round = 0; round < 10; round++) {
    clock.advance(9000);
    peer.sendData(1, piece.subarray(0, 10_240));
    await scripted.settle();
  }
  assert.deepEqual(events.limits, ["unfinished_messages paused"]);
});

test("shares a budget among connections, of which the first has its credit", async () => {
  const shared = new SharedUnfinished(128 * kib);
  const first = await holding({}, shared);
  const second = await holding({}, shared);
  for (const { peer } of [first, second]) peer.sendHeaders(1, post);
  send(first, 1, 128 * kib);
  assert.deepEqual(await credit(first), { 1: 128 * kib });
  send(second, 1, 128 * kib);
  assert.deepEqual(await credit(second), { window: 65_535 });
  send(first, 1, 128 * kib);
  assert.deepEqual(await credit(first), { 1: 128 * kib });
  first.events.stream(1).stream?.reset();
  assert.deepEqual(await credit(second), { 1: 128 * kib });
});

test("gives back what a lost connection had borrowed", async () => {
  const shared = new SharedUnfinished(128 * kib);
  const first = await holding({}, shared);
  const second = await holding({}, shared);
  for (const { peer } of [first, second]) peer.sendHeaders(1, post);
  send(first, 1, 128 * kib);
  send(second, 1, 128 * kib);
  await credit(second);
  first.connection.socketClosed();
  assert.deepEqual(await credit(second), { 1: 128 * kib });
});

test("does not let complete messages that the application leaves alone go beyond the budget one after the other", async () => {
  const scripted = await holding();
  const { peer, events } = scripted;
  for (const id of [1, 3]) {
    peer.sendHeaders(id, post);
    send(scripted, id, 128 * kib);
    await scripted.settle();
    events.stream(id).stream?.messageComplete();
  }
  assert.deepEqual(await credit(scripted), { 1: 128 * kib, window: 65_535 });
  peer.sendSettingsAck();
  peer.sendHeaders(5, post);
  send(scripted, 5, 48 * kib);
  assert.deepEqual(await credit(scripted), {});
  events.stream(1).stream?.repay();
  assert.deepEqual(await credit(scripted), { 5: 48 * kib, window: 256 * kib });
});
