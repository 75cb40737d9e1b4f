import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type JobProgress, ProgressFeed } from "./progress-feed.ts";

function reading(bytesDone: number): JobProgress {
  return { bytesDone, bytesTotal: 1000, phase: "reading" };
}

describe("ProgressFeed", () => {
  it("gives a slow watcher the latest state, not all of them", async () => {
    const feed = new ProgressFeed();
    const watcher = feed[Symbol.asyncIterator]();
    for (let bytes = 1; bytes <= 500; bytes++) feed.update(reading(bytes));
    assert.equal((await watcher.next()).value?.bytesDone, 500);
    feed.end();
    assert.equal((await watcher.next()).done, true);
  });

  it("gives at most ten states a second", async () => {
    const feed = new ProgressFeed();
    const seenAtMs: number[] = [];
    const timer = setInterval(() => feed.update(reading(1)), 1);
    for await (const _ of feed) {
      seenAtMs.push(performance.now());
      if (seenAtMs.length === 4) break;
    }
    clearInterval(timer);
    const gaps = seenAtMs.slice(1).map((at, index) => at - (seenAtMs[index] as number));
    assert.ok(
      gaps.every((gap) => gap > 95),
      String(gaps),
    );
  });

  it("wakes a watcher that waits when the job ends", async () => {
    const feed = new ProgressFeed();
    const next = feed[Symbol.asyncIterator]().next();
    feed.end();
    assert.deepEqual(await next, { value: undefined, done: true });
  });

  it("gives an end at once that comes between two states", async () => {
    const feed = new ProgressFeed();
    const watcher = feed[Symbol.asyncIterator]();
    feed.update(reading(1));
    await watcher.next();
    feed.update(reading(2));
    const next = watcher.next();
    feed.end();
    assert.equal((await next).done, true);
  });
});
