// Peers that ask and do not read what they get: everything that waits for them is bounded, whatever its frames.
import assert from "node:assert/strict";
import { test } from "node:test";
import { SharedOutput } from "../src/connection/flow/shared-output.ts";
import { defaultLimits } from "../src/connection/limits.ts";
import { createScriptedServer, type ScriptedConnection } from "../src/testing/index.ts";
import { ok, patterned, post } from "./example-fields.ts";

/** A response of header fields alone, which neither the compression table nor Huffman codes make shorter. */
function largeHead(nth: number): readonly string[] {
  return [...ok, `x-${nth}`, String(nth).padStart(4000, ";")];
}

/** Opens streams that are answered by 4,000 bytes of header fields each until the server does not read any more. */
async function floodWithHeads({ peer, events, settle }: ScriptedConnection, count: number): Promise<number> {
  let id = 1;
  for (; id < 2 * count; id += 2) {
    peer.sendHeaders(id, post, { endStream: true });
    const recorded = events.streams.get(id);
    if (recorded === undefined) break;
    recorded.stream?.sendHeaders(largeHead(id), true);
    await settle();
  }
  return (id - 1) / 2;
}

test("stops reading when 2 MiB of header frames wait, and reads again when they have left", async () => {
  const scripted = createScriptedServer();
  const { peer, channel, events, settle } = scripted;
  await peer.shakeHands();
  channel.holdWrites();
  const answered = await floodWithHeads(scripted, 30_000);
  assert.ok(answered * 4000 > defaultLimits.output.pauseAtBacklogBytes * 0.95, `${answered} answers`);
  assert.ok(answered * 4000 < defaultLimits.output.pauseAtBacklogBytes * 1.05, `${answered} answers`);
  assert.deepEqual(events.limits, ["output_backlog paused"]);
  channel.releaseWrites();
  await settle();
  assert.equal(events.streams.size, answered + 1);
  assert.equal(channel.isDestroyed, false);
});

test("ends the connection when 8 MiB wait, by what the application goes on to send", async () => {
  const { peer, channel, events, settle } = createScriptedServer();
  await peer.shakeHands();
  for (let id = 1; id < 400; id += 2) peer.sendHeaders(id, post, { endStream: true });
  channel.holdWrites();
  let sentBytes = 0;
  const heads = Array.from({ length: 11 }, (_, nth) => largeHead(nth).slice(2)).flat();
  for (let id = 1; id < 400 && !channel.isDestroyed; id += 2) {
    events
      .stream(id)
      .stream?.sendHeaders([...ok, ...heads.map((text, at) => (at % 2 === 0 ? `${text}-${id}` : text))], true);
    sentBytes += 44_000;
    await settle();
  }
  assert.equal(channel.isDestroyed, true);
  assert.ok(
    sentBytes > defaultLimits.output.maxBacklogBytes * 0.95 && sentBytes < defaultLimits.output.maxBacklogBytes * 1.05,
    `${sentBytes}`,
  );
  await settle();
  assert.deepEqual(events.limits, ["output_backlog paused", "output_backlog closed"]);
  assert.equal(events.closes, 1);
});

test("does not stop reading for data that waits, in frames of the usual size", async () => {
  const { peer, channel, events, settle } = createScriptedServer();
  await peer.shakeHands({ initialWindowSize: 2 ** 30 });
  peer.sendWindowUpdate(0, 2 ** 30);
  channel.holdWrites();
  for (let id = 1; id < 100; id += 2) {
    peer.sendHeaders(id, post, { endStream: true });
    events.stream(id).stream?.sendHeaders(ok);
    events.stream(id).stream?.sendData(patterned(100_000), true);
    await settle();
  }
  assert.deepEqual(events.limits, []);
  channel.releaseWrites();
});

/** A stream with so much data that waits, because the peer gives no window. */
async function holdOutput({ peer, events }: ScriptedConnection, bytes: number): Promise<void> {
  await peer.shakeHands({ initialWindowSize: 0 });
  peer.sendHeaders(1, post, { endStream: true });
  events.stream(1).stream?.sendHeaders(ok);
  events.stream(1).stream?.sendData(patterned(bytes));
}

test("ends a connection for which over 16 MiB wait when its peer takes less than 1 KiB a second, and not at 16 MiB", async () => {
  for (const [bytes, takenPerSecond, isKept] of [
    [16_777_216, 0, true],
    [16_777_217 + 65_536, 1024, true],
    [16_777_217 + 65_536, 1000, false],
    [16_777_217, 0, false],
  ] as const) {
    const scripted = createScriptedServer({ limits: { streams: { stallTimeoutMs: 0 } } });
    await holdOutput(scripted, bytes);
    for (let second = 0; second < 40; second++) {
      if (takenPerSecond > 0) scripted.peer.sendWindowUpdate(1, takenPerSecond);
      await scripted.settle();
      scripted.clock.advance(1000);
    }
    assert.equal(scripted.channel.isDestroyed, !isKept, `${bytes} bytes, ${takenPerSecond} taken a second`);
  }
});

test("ends connections that take nothing while too much waits on all of a server's, and keeps those that take some or hold little", async () => {
  const sharedOutput = new SharedOutput({ ...defaultLimits.output, sharedStalledBytes: 400_000 });
  const all = Array.from({ length: 6 }, () => createScriptedServer({ sharedOutput }));
  const [moving, small, ...stalled] = all;
  await holdOutput(moving as ScriptedConnection, 300_000);
  await holdOutput(small as ScriptedConnection, 65_536);
  for (const scripted of stalled) await holdOutput(scripted, 100_000);
  for (let second = 0; second < 20; second++) {
    // Twice the lowest rate.
    moving?.peer.sendWindowUpdate(1, 2100);
    await moving?.settle();
    for (const scripted of all) scripted.clock.advance(1000);
  }
  assert.deepEqual([moving?.channel.isDestroyed, small?.channel.isDestroyed], [false, false]);
  const kept = stalled.filter(({ channel }) => !channel.isDestroyed).length;
  assert.ok(kept >= 1 && kept <= 2, `${kept} of ${stalled.length} are left`);
  for (const { channel, events } of stalled) {
    if (channel.isDestroyed) assert.deepEqual(events.limits, ["output_stall closed"]);
  }
});
