import assert from "node:assert/strict";
import { test } from "node:test";
import type { Stream } from "../stream/stream.ts";
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

test("ignores DATA on a stream that we ended up to the window that was left, and not a byte more", () => {
  const table = new StreamTable("server", 3);
  table.endedLocally(7, 100);
  assert.equal(table.ignoresData(7, 60, false), true);
  assert.equal(table.ignoresData(7, 41, false), false);
  assert.equal(table.ignoresData(7, 40, false), true);
  assert.equal(table.ignoresData(7, 1, false), false);
  assert.equal(table.ignoresData(9, 0, false), false, "a stream that we did not end");
});

test("ignores nothing after the end that the peer has sent on a stream that we ended", () => {
  const table = new StreamTable("server", 3);
  for (const id of [1, 3, 5]) table.endedLocally(id, 100);
  assert.equal(table.ignoresData(1, 10, true), true);
  assert.equal(table.ignoresTrailers(3), true);
  table.resetAfterEnd(5);
  for (const id of [1, 3, 5]) {
    assert.equal(table.ignoresData(id, 0, true), false);
    assert.equal(table.ignoresTrailers(id), false);
  }
});

test("remembers as many streams that we ended as the peer may not know of, the latest", () => {
  const table = new StreamTable("server", 3);
  for (const id of [1, 3, 5, 7]) table.endedLocally(id, 100);
  assert.equal(table.ignoresTrailers(1), false);
  for (const id of [3, 5, 7]) assert.equal(table.ignoresTrailers(id), true);
});

test("ignores late frames on closed streams when it is a client, but not on the last 64 that the server has ended", () => {
  const table = new StreamTable("client", 3);
  assert.deepEqual([table.ignoresData(1, 1e9, false), table.ignoresTrailers(1)], [true, true]);
  for (let i = 0; i < 65; i++) table.endedByPeer(2 * i + 1, i === 64 ? "reset" : "end");
  table.refuseFramesBehindPeersEnd(1, "DATA");
  assert.throws(() => table.refuseFramesBehindPeersEnd(3, "DATA"), { scope: "connection" });
  assert.throws(() => table.refuseFramesBehindPeersEnd(129, "DATA"), { scope: "stream" });
});

test("keeps no memory of ended streams when it is a server", () => {
  const table = new StreamTable("server", 3);
  table.endedByPeer(1, "end");
  table.refuseFramesBehindPeersEnd(1, "DATA");
});

test("ignores frames of streams after the last one allowed", () => {
  const table = new StreamTable("server", 3);
  table.lastAllowedStreamId = 5;
  assert.deepEqual([table.ignoresData(7, 1e9, false), table.ignoresTrailers(7)], [true, true]);
  assert.deepEqual([table.ignoresData(5, 1, false), table.ignoresTrailers(5)], [false, false]);
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
