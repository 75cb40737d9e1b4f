// A limit of streams that the connections of a server share.
import assert from "node:assert/strict";
import { test } from "node:test";
import { ErrorCode } from "../src/index.ts";
import { SharedStreamLimit } from "../src/internal.ts";
import { createScriptedServer } from "../src/testing/index.ts";
import { ok, post } from "./example-fields.ts";

test("takes as many streams as there are places on all connections, and refuses one more so that it may be sent again", async () => {
  const streamPlaces = new SharedStreamLimit(3);
  const [a, b] = [createScriptedServer({ streamPlaces }), createScriptedServer({ streamPlaces })];
  for (const { peer } of [a, b]) await peer.shakeHands();
  a.peer.sendHeaders(1, post);
  a.peer.sendHeaders(3, post);
  b.peer.sendHeaders(1, post);
  assert.deepEqual([a.events.streams.size, b.events.streams.size], [2, 1]);
  b.peer.sendHeaders(3, post);
  await b.peer.expectReset(3, ErrorCode.refusedStream);
  a.peer.sendHeaders(5, post);
  await a.peer.expectReset(5, ErrorCode.refusedStream);
  assert.deepEqual([a.events.streams.size, b.events.streams.size], [2, 1]);
});

test("gives a place back when a stream has ended, also one that was reset, and not before its handler has", async () => {
  const streamPlaces = new SharedStreamLimit(1);
  const { peer, events } = createScriptedServer({ streamPlaces });
  await peer.shakeHands();
  peer.sendHeaders(1, post, { endStream: true });
  const { stream } = events.stream(1);
  stream?.hold();
  stream?.sendHeaders(ok, true);
  assert.equal(streamPlaces.taken, 1);
  stream?.release();
  assert.equal(streamPlaces.taken, 0);
  peer.sendHeaders(3, post);
  peer.sendReset(3, ErrorCode.cancel);
  assert.equal(streamPlaces.taken, 0);
  peer.sendHeaders(5, post);
  assert.notEqual(events.stream(5).stream, undefined);
});

test("gives back every place of a connection that is lost, those of handlers when they end", async () => {
  const streamPlaces = new SharedStreamLimit(10);
  const { peer, events, connection } = createScriptedServer({ streamPlaces });
  await peer.shakeHands();
  for (const id of [1, 3, 5]) peer.sendHeaders(id, post);
  const held = events.stream(5).stream;
  held?.hold();
  connection.socketClosed(new Error("reset"));
  assert.equal(streamPlaces.taken, 1);
  held?.release();
  assert.equal(streamPlaces.taken, 0);
});

test("does not charge refusals as glitches, because the peer does not know the limit", async () => {
  const streamPlaces = new SharedStreamLimit(0);
  const { peer, events } = createScriptedServer({ streamPlaces, limits: { budgets: { glitches: { burst: 0 } } } });
  await peer.shakeHands();
  for (let id = 1; id < 100; id += 2) {
    peer.sendHeaders(id, post, { endStream: true });
    await peer.expectReset(id, ErrorCode.refusedStream);
  }
  assert.equal(events.limits.length, 50);
});

test("refuses 10,000 streams at once and 1000 a second, and ends the connection at the next", async () => {
  const streamPlaces = new SharedStreamLimit(0);
  const { peer, clock, settle } = createScriptedServer({ streamPlaces });
  await peer.shakeHands();
  let id = 1;
  const refused = async (count: number): Promise<void> => {
    for (let nth = 0; nth < count; nth++, id += 2) {
      peer.sendHeaders(id, post, { endStream: true });
      if (nth % 500 === 0) await settle();
    }
    for (let nth = count; nth > 0; nth--) await peer.expectReset(id - 2 * nth, ErrorCode.refusedStream);
  };
  await refused(10_000);
  clock.advance(1000);
  await refused(1000);
  peer.sendHeaders(id, post, { endStream: true });
  await peer.expectGoaway(ErrorCode.enhanceYourCalm, "too_many_refused_streams");
});
