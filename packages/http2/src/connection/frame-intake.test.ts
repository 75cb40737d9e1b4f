import assert from "node:assert/strict";
import { test } from "node:test";
import type { FrameHead } from "../frame/frame-reader.ts";
import { TurnWork } from "../frame/turn-work.ts";
import { FrameIntake } from "./frame-intake.ts";
import { defaultLimits } from "./limits.ts";

const maxPerTurn = 80;
/** RFC 9113 §6.7: length 8, type 6, on stream 0. */
const ping = Buffer.from("000008060000000000".padEnd(2 * 17, "0"), "hex");
/** A chunk of whole frames. */
const frames = (count: number): Uint8Array => Buffer.concat(Array.from({ length: count }, () => ping));

/** An intake whose turn is 80 frames. */
function setUp() {
  const seen = { read: 0, isPaused: false, pauses: 0 };
  const intake = new FrameIntake({
    socket: {
      pause() {
        seen.isPaused = true;
        seen.pauses++;
      },
      resume() {
        seen.isPaused = false;
      },
    },
    clock: { nowMs: () => 0, after: () => () => {} },
    limits: { frames: { ...defaultLimits.frames, maxPerTurn } },
    turnWork: new TurnWork(),
    phases: { afterRead() {} },
    inbound: {
      onFrame: (_head: FrameHead) => void seen.read++,
      failed: (error) => assert.fail(String(error)),
    },
    registry: { requestGate: undefined },
  });
  return { seen, intake };
}

/** All immediates that are set by now have run. */
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test("counts the work of all chunks that one poll delivers, and reads on in the next turn", async () => {
  const { seen, intake } = setUp();
  for (let chunk = 0; chunk < 3; chunk++) assert.equal(intake.receive(frames(25)), true);
  assert.equal(seen.isPaused, false);
  assert.equal(intake.receive(frames(25)), false);
  assert.deepEqual(seen, { read: maxPerTurn, isPaused: true, pauses: 1 });
  await turn();
  assert.deepEqual(seen, { read: 100, isPaused: false, pauses: 1 });
});

test("pauses when a chunk's end uses the turn up, so that no other chunk comes in it", async () => {
  const { seen, intake } = setUp();
  assert.equal(intake.receive(frames(maxPerTurn)), true);
  assert.equal(seen.isPaused, true);
  await turn();
  assert.equal(seen.isPaused, false);
  assert.equal(intake.receive(frames(maxPerTurn - 1)), true);
  assert.equal(seen.isPaused, false, "a new turn has its own share");
  await turn();
});

test("reads a long chunk in as many turns as it takes", async () => {
  const { seen, intake } = setUp();
  intake.receive(frames(3 * maxPerTurn + 1));
  for (const read of [1, 2, 3]) {
    assert.deepEqual([seen.read, seen.isPaused], [read * maxPerTurn, true]);
    await turn();
  }
  assert.deepEqual(seen, { read: 3 * maxPerTurn + 1, isPaused: false, pauses: 1 });
});

test("leaves the socket alone while chunks are little work each, as those of single calls are", () => {
  const { seen, intake } = setUp();
  for (let chunk = 0; chunk < 30; chunk++) intake.receive(frames(9));
  assert.deepEqual(seen, { read: 270, isPaused: false, pauses: 0 });
});

test("stays paused over a turn while the socket's output is not drained", async () => {
  const { seen, intake } = setUp();
  intake.receive(frames(maxPerTurn));
  intake.pauseUntilDrained();
  await turn();
  assert.equal(seen.isPaused, true);
  intake.drained();
  assert.equal(seen.isPaused, false);
});

test("keeps a copy of what it has not read of a chunk whose memory is used again", async () => {
  const { seen, intake } = setUp();
  const chunk = frames(maxPerTurn + 20);
  assert.equal(intake.receive(chunk, true), true);
  assert.equal(seen.read, maxPerTurn);
  chunk.fill(0xff);
  await turn();
  assert.deepEqual(seen, { read: maxPerTurn + 20, isPaused: false, pauses: 1 });
});
