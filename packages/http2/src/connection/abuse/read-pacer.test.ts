import assert from "node:assert/strict";
import { test } from "node:test";
import { TurnWork } from "../../frame/turn-work.ts";
import type { ByteChannel } from "../byte-channel.ts";
import { ReadPacer } from "./read-pacer.ts";

const maxWork = 80;

/** A connection for which each byte is one piece of work. */
function setUp() {
  const seen = { read: 0, isPaused: false, pauses: 0 };
  const socket = {
    pause() {
      seen.isPaused = true;
      seen.pauses++;
    },
    resume() {
      seen.isPaused = false;
    },
  } as Partial<ByteChannel> as ByteChannel;
  const work = new TurnWork();
  const reader = {
    readChunk(chunk: Uint8Array, from: number): number {
      const end = Math.min(chunk.length, from + Math.max(0, maxWork - work.done));
      work.done += end - from;
      seen.read += end - from;
      return end;
    },
  };
  return { seen, pacer: new ReadPacer(socket, reader, work, maxWork) };
}

/** All immediates that are set by now have run. */
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test("counts the work of all chunks that one poll delivers, and reads on in the next turn", async () => {
  const { seen, pacer } = setUp();
  for (let chunk = 0; chunk < 3; chunk++) assert.equal(pacer.receive(new Uint8Array(25)), true);
  assert.equal(seen.isPaused, false);
  assert.equal(pacer.receive(new Uint8Array(25)), false);
  assert.deepEqual(seen, { read: maxWork, isPaused: true, pauses: 1 });
  await turn();
  assert.deepEqual(seen, { read: 100, isPaused: false, pauses: 1 });
});

test("pauses when a chunk's end uses the turn up, so that no other chunk comes in it", async () => {
  const { seen, pacer } = setUp();
  assert.equal(pacer.receive(new Uint8Array(maxWork)), true);
  assert.equal(seen.isPaused, true);
  await turn();
  assert.equal(seen.isPaused, false);
  assert.equal(pacer.receive(new Uint8Array(maxWork - 1)), true);
  assert.equal(seen.isPaused, false, "a new turn has its own share");
  await turn();
});

test("reads a long chunk in as many turns as it takes", async () => {
  const { seen, pacer } = setUp();
  pacer.receive(new Uint8Array(3 * maxWork + 1));
  for (const read of [1, 2, 3]) {
    assert.deepEqual([seen.read, seen.isPaused], [read * maxWork, true]);
    await turn();
  }
  assert.deepEqual(seen, { read: 3 * maxWork + 1, isPaused: false, pauses: 1 });
});

test("leaves the socket alone while chunks are little work each, as those of single calls are", () => {
  const { seen, pacer } = setUp();
  for (let chunk = 0; chunk < 30; chunk++) pacer.receive(new Uint8Array(9));
  assert.deepEqual(seen, { read: 270, isPaused: false, pauses: 0 });
});

test("stays paused over a turn while the socket's output is not drained", async () => {
  const { seen, pacer } = setUp();
  pacer.receive(new Uint8Array(maxWork));
  pacer.pauseUntilDrained();
  await turn();
  assert.equal(seen.isPaused, true);
  pacer.drained();
  assert.equal(seen.isPaused, false);
});
