// Receive windows that grow with the link: a PING between data measures the round trip.
import assert from "node:assert/strict";
import { test } from "node:test";
import { type ConnectionLimitOptions, ErrorCode } from "../src/index.ts";
import { createScriptedClient, createScriptedServer, type ScriptedConnection } from "../src/testing/index.ts";
import { ok, patterned, post } from "./example-fields.ts";

const mib = 1_048_576;
const piece = patterned(16_384);
/** The first whole frame with which a quarter of 1 MiB has come. */
const quarter = 16 * piece.length;
/** … and of which a round trip that brings so much has not filled it. */
const notFilled = 40 * piece.length;

async function uploading(limits: ConnectionLimitOptions = {}): Promise<ScriptedConnection> {
  const scripted = createScriptedServer({ limits });
  await scripted.peer.shakeHands();
  scripted.peer.sendHeaders(1, post);
  return scripted;
}

function sendBytes({ peer }: ScriptedConnection, bytes: number): void {
  for (let left = bytes; left > 0; left -= piece.length) peer.sendData(1, piece.subarray(0, left));
}

/** Sends a quarter of a window, and reads the PING that it is answered with. */
async function untilPing(scripted: ScriptedConnection, bytes: number): Promise<string> {
  sendBytes(scripted, bytes);
  return (await scripted.peer.nextOf("PING")).payload;
}

/** The same, and the answer after less data than a window: the next measurement is not the first. */
async function untilSecondPing(scripted: ScriptedConnection): Promise<string> {
  const { peer, clock } = scripted;
  const first = await untilPing(scripted, quarter);
  sendBytes(scripted, notFilled);
  clock.advance(50);
  peer.sendPing(first, { ack: true });
  return untilPing(scripted, quarter);
}

test("measures with a PING, and makes both windows four times as large when they fill before its first answer", async () => {
  const scripted = await uploading();
  const { peer } = scripted;
  await untilPing(scripted, quarter);
  sendBytes(scripted, mib);
  await scripted.settle();
  let frame = await peer.nextFrame();
  while (frame.type === "WINDOW_UPDATE" && frame.increment < mib) frame = await peer.nextFrame();
  assert.deepEqual([frame.type, frame.type === "WINDOW_UPDATE" && frame.increment], ["WINDOW_UPDATE", 3 * mib]);
  assert.deepEqual((await peer.nextOf("SETTINGS")).entries, [[4, 4 * mib]]);
});

test("grows both windows when a later round trip brings a whole one", async () => {
  const scripted = await uploading();
  const { peer, clock } = scripted;
  const payload = await untilSecondPing(scripted);
  sendBytes(scripted, mib);
  clock.advance(50);
  await scripted.settle();
  while (peer.unread.length > 0) assert.equal((await peer.nextFrame()).type, "WINDOW_UPDATE");
  peer.sendPing(payload, { ack: true });
  const update = await peer.nextOf("WINDOW_UPDATE");
  assert.deepEqual([update.streamId, update.increment], [0, mib]);
  const settings = await peer.nextOf("SETTINGS");
  assert.deepEqual(settings.entries, [[4, 2 * mib]]);
});

test("takes what the grown windows allow, on streams that were open before, and not one byte more", async () => {
  const scripted = createScriptedServer({
    onStream: (recorded) => {
      recorded.consumes = recorded.stream?.id === 1;
    },
  });
  const { peer, clock } = scripted;
  await peer.shakeHands();
  peer.sendHeaders(1, post);
  peer.sendHeaders(3, post);
  const payload = await untilSecondPing(scripted);
  sendBytes(scripted, mib);
  clock.advance(50);
  peer.sendPing(payload, { ack: true });
  await peer.nextOf("SETTINGS");
  peer.sendSettingsAck();
  await scripted.settle();
  while (peer.unread.length > 0) await peer.nextFrame();
  for (let sent = 0; sent < 2 * mib; sent += piece.length) peer.sendData(3, piece);
  await scripted.settle();
  assert.ok(!scripted.events.stream(3).log.includes("reset"));
  peer.sendData(3, "x");
  await peer.expectReset(3, ErrorCode.flowControlError);
});

test("a peer may acknowledge each of our SETTINGS for nothing, and no more often", async () => {
  const scripted = await uploading({ budgets: { glitches: { burst: 1, perSecond: 0 } } });
  const { peer } = scripted;
  await untilPing(scripted, quarter);
  sendBytes(scripted, mib);
  await peer.nextOf("SETTINGS");
  peer.sendSettingsAck();
  await scripted.settle();
  while (peer.unread.length > 0) await peer.nextFrame();
  await peer.expectAlive();
  peer.sendSettingsAck();
  await peer.expectAlive();
  peer.sendSettingsAck();
  await peer.nextOf("GOAWAY");
});

test("keeps windows that somebody has set", async () => {
  for (const limits of [
    { windows: { streamBytes: mib } },
    { windows: { connectionBytes: mib } },
    { windows: { maxBytes: 0 } },
    { windows: { maxBytes: mib } },
  ]) {
    const scripted = await uploading(limits);
    sendBytes(scripted, 4 * mib);
    await scripted.settle();
    while (scripted.peer.unread.length > 0) assert.equal((await scripted.peer.nextFrame()).type, "WINDOW_UPDATE");
  }
});

test("lets windows that somebody has set grow when that is said, too", async () => {
  const scripted = await uploading({ windows: { connectionBytes: 3 * mib, maxBytes: 4 * mib } });
  const payload = await untilPing(scripted, mib);
  scripted.clock.advance(50);
  sendBytes(scripted, 2 * mib);
  scripted.peer.sendPing(payload, { ack: true });
  const settings = await scripted.peer.nextOf("SETTINGS");
  assert.deepEqual(settings.entries, [[4, 2 * mib]]);
});

test("a client measures its downloads only while data comes", async () => {
  const { peer, request, clock, settle } = createScriptedClient();
  await peer.shakeHands();
  request(post, { endStream: true });
  await peer.nextOf("HEADERS");
  peer.sendHeaders(1, ok);
  for (let sent = piece.length; sent < quarter; sent += piece.length) peer.sendData(1, piece);
  await settle();
  while (peer.unread.length > 0) assert.notEqual((await peer.nextFrame()).type, "PING");
  peer.sendData(1, piece);
  const ping = await peer.nextOf("PING");
  clock.advance(50);
  peer.sendPing(ping.payload, { ack: true });
  clock.advance(100_000);
  await settle();
  while (peer.unread.length > 0) assert.notEqual((await peer.nextFrame()).type, "PING");
});

test("leaves half of what the connection may hold to others when a stream's window grows", async () => {
  const scripted = await uploading({ windows: { maxBytes: 3 * mib } });
  await untilPing(scripted, quarter);
  sendBytes(scripted, mib);
  const settings = await scripted.peer.nextOf("SETTINGS");
  assert.deepEqual(settings.entries, [[4, 1.5 * mib]]);
});
