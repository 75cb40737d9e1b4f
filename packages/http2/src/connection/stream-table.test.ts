import assert from "node:assert/strict";
import { test } from "node:test";
import type { Stream } from "../stream/stream.ts";
import { StreamIndex } from "./stream-index.ts";
import { StreamTable } from "./stream-table.ts";

const streamOf = (id: number): Stream => ({ id }) as Stream;

test("finds what was added until it is deleted", () => {
  const table = new StreamTable("server");
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
  const table = new StreamTable("server");
  const one = streamOf(1);
  table.add(one);
  table.find(1);
  table.delete(one);
  assert.equal(table.find(1), undefined);
});

test("gives a list that deletions do not disturb", () => {
  const table = new StreamTable("server");
  for (let id = 1; id < 100; id += 2) table.add(streamOf(id));
  for (const stream of table.all()) table.delete(stream);
  assert.equal(table.size, 0);
});

test("calls a stream idle that is even or above the last one used", () => {
  const table = new StreamTable("server");
  assert.equal(table.isIdle(1), true);
  table.lastStreamId = 5;
  assert.deepEqual([1, 2, 4, 5, 6, 7].map((id) => table.isIdle(id)), [false, true, true, false, true, true]); // biome-ignore format: a table
});

test("remembers a reset stream for one second", () => {
  const table = new StreamTable("server");
  table.rememberReset(7, 5000);
  assert.equal(table.mayStillReceive(7, 6000), true);
  assert.equal(table.mayStillReceive(7, 6001), false);
  assert.equal(table.mayStillReceive(9, 5000), false);
});

test("remembers the latest reset of a stream that was reset again", () => {
  const table = new StreamTable("server");
  table.rememberReset(7, 0);
  table.rememberReset(7, 2000);
  assert.equal(table.mayStillReceive(7, 2500), true);
});

test("remembers 64 reset streams, the latest", () => {
  const table = new StreamTable("server");
  for (let i = 0; i < 65; i++) table.rememberReset(2 * i + 1, 0);
  assert.equal(table.mayStillReceive(1, 0), false);
  for (let i = 1; i < 65; i++) assert.equal(table.mayStillReceive(2 * i + 1, 0), true);
});

test("bears with late frames on closed streams when it is a client, but not on the last 64 that the server has ended", () => {
  const table = new StreamTable("client");
  assert.equal(table.mayStillReceive(1, 1e9), true);
  for (let i = 0; i < 65; i++) table.endedByPeer(2 * i + 1, i === 64 ? "reset" : "end");
  table.refuseFramesBehindPeersEnd(1, "DATA");
  assert.throws(() => table.refuseFramesBehindPeersEnd(3, "DATA"), { scope: "connection" });
  assert.throws(() => table.refuseFramesBehindPeersEnd(129, "DATA"), { scope: "stream" });
});

test("keeps no memory of ended streams when it is a server", () => {
  const table = new StreamTable("server");
  table.endedByPeer(1, "end");
  table.refuseFramesBehindPeersEnd(1, "DATA");
});

test("bears with frames of streams behind the last one allowed", () => {
  const table = new StreamTable("server");
  table.lastAllowedStreamId = 5;
  assert.equal(table.mayStillReceive(7, 0), true);
  assert.equal(table.mayStillReceive(5, 0), false);
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
