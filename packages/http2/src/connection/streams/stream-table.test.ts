import assert from "node:assert/strict";
import { test } from "node:test";
import type { Stream } from "../../stream/stream.ts";
import { StreamIndex } from "./stream-index.ts";
import { StreamTable } from "./stream-table.ts";

const streamOf = (id: number): Stream => ({ id }) as Stream;

test("finds what was added until it is deleted", () => {
  const table = new StreamTable("server", 3);
  const [one, three] = [streamOf(1), streamOf(3)];
  table.add(one);
  table.add(three);
  assert.equal(table.find(1), one);
  assert.equal(table.find(3), three);
  assert.equal(table.find(5), undefined);
  table.delete(three);
  assert.equal(table.find(3), undefined);
  assert.equal(table.find(1), one);
  assert.equal(table.size, 1);
  assert.equal(table.slots, 2, "a slot is freed by whoever held it, not by the deletion");
});

test("does not find a deleted stream as the one that was asked for last", () => {
  const table = new StreamTable("server", 3);
  const one = streamOf(1);
  table.add(one);
  table.find(1);
  table.delete(one);
  assert.equal(table.find(1), undefined);
});

test("gives a list that deletions do not disturb", () => {
  const table = new StreamTable("server", 3);
  for (let id = 1; id < 100; id += 2) table.add(streamOf(id));
  for (const stream of table.all()) table.delete(stream);
  assert.equal(table.size, 0);
});

test("calls a stream idle that is even or above the last one used", () => {
  const table = new StreamTable("server", 3);
  assert.equal(table.isIdle(1), true);
  table.lastStreamId = 5;
  assert.deepEqual([1, 2, 4, 5, 6, 7].map((id) => table.isIdle(id)), [false, true, true, false, true, true]); // biome-ignore format: a table
});

test("says that DATA was on its way when we reset its stream up to the window that was left, and not a byte more", () => {
  const table = new StreamTable("server", 3);
  table.endedLocally(7, 100);
  assert.equal(table.dataAfterReset(7, 60, false), "inFlight");
  assert.equal(table.dataAfterReset(7, 41, false), "late");
  assert.equal(table.dataAfterReset(7, 40, false), "inFlight");
  assert.equal(table.dataAfterReset(7, 1, false), "late");
  assert.equal(table.dataAfterReset(9, 0, false), undefined, "a stream that we did not reset");
});

test("says that nothing was on its way after the end that the peer has sent, before our reset or after it", () => {
  const table = new StreamTable("server", 4);
  for (const id of [1, 3, 5]) table.endedLocally(id, 100);
  assert.equal(table.dataAfterReset(1, 10, true), "inFlight");
  assert.equal(table.trailersAfterReset(3), "inFlight");
  table.resetAfterEnd(5);
  table.endedLocally(7, undefined);
  for (const id of [1, 3, 5, 7]) {
    assert.equal(table.dataAfterReset(id, 0, true), "late");
    assert.equal(table.trailersAfterReset(id), "late");
  }
});

test("does not take a second reset of a stream for news of what may arrive", () => {
  const table = new StreamTable("server", 3);
  table.endedLocally(1, 100);
  table.endedLocally(1, undefined);
  assert.equal(table.dataAfterReset(1, 100, true), "inFlight");
  table.endedLocally(1, 100);
  assert.equal(table.dataAfterReset(1, 1, false), "late");
});

test("remembers as many streams that we reset as the peer may not know of, the latest", () => {
  const table = new StreamTable("server", 3);
  for (const id of [1, 3, 5, 7]) table.endedLocally(id, 100);
  assert.equal(table.trailersAfterReset(1), undefined);
  for (const id of [3, 5, 7]) assert.equal(table.trailersAfterReset(id), "inFlight");
});

test("ignores late frames on closed streams when it is a client, but not on the last 64 that the server has ended", () => {
  const table = new StreamTable("client", 3);
  assert.deepEqual([table.dataAfterReset(1, 1e9, false), table.trailersAfterReset(1)], ["inFlight", "inFlight"]);
  for (let i = 0; i < 65; i++) table.endedByPeer(2 * i + 1, i === 64 ? "reset" : "end");
  table.refuseFramesAfterPeersEnd(1, "DATA");
  assert.throws(() => table.refuseFramesAfterPeersEnd(3, "DATA"), { scope: "connection" });
  assert.throws(() => table.refuseFramesAfterPeersEnd(129, "DATA"), { scope: "stream" });
});

test("keeps no memory of ended streams when it is a server", () => {
  const table = new StreamTable("server", 3);
  table.endedByPeer(1, "end");
  table.refuseFramesAfterPeersEnd(1, "DATA");
});

test("ignores frames of streams after the last one allowed", () => {
  const table = new StreamTable("server", 3);
  table.lastAllowedStreamId = 5;
  assert.deepEqual([table.dataAfterReset(7, 1e9, false), table.trailersAfterReset(7)], ["inFlight", "inFlight"]);
  assert.deepEqual([table.dataAfterReset(5, 1, false), table.trailersAfterReset(5)], [undefined, undefined]);
});

test("keeps apart the streams whose identifiers share a slot, however old they are", () => {
  const index = new StreamIndex();
  const alive = new Map<number, Stream>();
  // Every tenth stream stays for good; the others live for 40 of their successors.
  for (let id = 1; id < 20_000; id += 2) {
    const stream = streamOf(id);
    index.add(stream);
    alive.set(id, stream);
    const old = id - 80;
    const gone = old % 20 === 1 ? undefined : alive.get(old);
    if (gone !== undefined) {
      index.delete(gone);
      alive.delete(old);
    }
  }
  assert.equal(index.size, alive.size);
  for (let id = 1; id < 20_000; id += 2) assert.equal(index.get(id), alive.get(id));
  assert.deepEqual(new Set(index.all()), new Set(alive.values()));
  for (const stream of alive.values()) index.delete(stream);
  assert.equal(index.size, 0);
  assert.deepEqual(index.all(), []);
});

test("does not count the deletion of a stream that it does not hold", () => {
  const index = new StreamIndex();
  const one = streamOf(1);
  index.add(one);
  index.delete(streamOf(33));
  index.delete(one);
  index.delete(one);
  assert.equal(index.size, 0);
});
