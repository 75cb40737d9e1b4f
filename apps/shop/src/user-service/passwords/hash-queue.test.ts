import assert from "node:assert/strict";
import { test } from "node:test";
import { Code } from "@connectrpc/connect";
import { readRetryAfterMs } from "@tercel/grpc/errors";
import { assertStatus } from "@tercel/grpc/testing";
import { createHashQueue, type HashingCall, type HashQueue } from "./hash-queue.ts";

const anyTime: HashingCall = { signal: new AbortController().signal, timeoutMs: undefined };

/** Creates a queue whose work ends when the test ends it. */
function openQueue(maxRunning: number, maxWaiting = 100) {
  let nowMs = 0;
  const begun: string[] = [];
  const ends = new Map<string, () => void>();
  const queue: HashQueue = createHashQueue({ maxRunning, maxWaiting, nowMs: () => nowMs });
  return {
    begun,
    add(name: string, call = anyTime) {
      const work = () => {
        begun.push(name);
        return new Promise<string>((resolve) => ends.set(name, () => resolve(name)));
      };
      return queue(call, work);
    },
    /** Ends running work after a simulated duration. */
    async end(name: string, result: Promise<string>, tookMs = 0) {
      nowMs += tookMs;
      ends.get(name)?.();
      assert.equal(await result, name);
    },
  };
}

/** Resolves after the reactions to settled promises. */
const settled = () => new Promise((resolve) => setImmediate(resolve));

test("runs up to the limit, and then the work that has waited longest", async () => {
  const queue = openQueue(2);
  const [a, b, c, d] = ["a", "b", "c", "d"].map((name) => queue.add(name)) as [
    Promise<string>,
    Promise<string>,
    Promise<string>,
    Promise<string>,
  ];
  await settled();
  assert.deepEqual(queue.begun, ["a", "b"]);
  await queue.end("b", b);
  await settled();
  assert.deepEqual(queue.begun, ["a", "b", "c"]);
  await queue.end("a", a);
  await queue.end("c", c);
  await settled();
  await queue.end("d", d);
  const again = queue.add("e");
  await settled();
  await queue.end("e", again);
});

test("refuses work over the waiting limit, and with a limit of 0 runs it while a core is free", async () => {
  const queue = openQueue(1, 0);
  const a = queue.add("a");
  await assertStatus(queue.add("b"), Code.ResourceExhausted, /too many passwords/);
  await settled();
  await queue.end("a", a);
  const c = queue.add("c");
  await settled();
  await queue.end("c", c);
});

test("refuses work at once that cannot finish in its time, and says when to retry", async () => {
  const queue = openQueue(1);
  const first = queue.add("first");
  await settled();
  await queue.end("first", first, 400);
  const a = queue.add("a");
  const b = queue.add("b");
  // a, b and the call itself take 400 ms each.
  const error = await assertStatus(
    queue.add("c", { ...anyTime, timeoutMs: 1_199 }),
    Code.ResourceExhausted,
    /too many passwords/,
  );
  assert.equal(readRetryAfterMs(error), 1_200);
  const d = queue.add("d", { ...anyTime, timeoutMs: 1_200 });
  for (const [name, result] of [
    ["a", a],
    ["b", b],
    ["d", d],
  ] as const) {
    await settled();
    await queue.end(name, result, 400);
  }
});

test("one long duration does not refuse calls forever", async () => {
  const queue = openQueue(1);
  const slow = queue.add("slow");
  await settled();
  await queue.end("slow", slow, 60_000);
  const next = queue.add("next", { ...anyTime, timeoutMs: 5_000 });
  await settled();
  await queue.end("next", next, 300);
});

test("a call that is cancelled while waiting leaves the queue", async () => {
  const queue = openQueue(1, 1);
  const a = queue.add("a");
  const leaving = new AbortController();
  const b = queue.add("b", { signal: leaving.signal, timeoutMs: undefined });
  leaving.abort(new Error("gave up"));
  await assert.rejects(b, /gave up/);
  const c = queue.add("c");
  await settled();
  await queue.end("a", a);
  await settled();
  await queue.end("c", c);
  assert.deepEqual(queue.begun, ["a", "c"]);
});

test("a call that was cancelled before does not run, and one that is cancelled while running has no result", async () => {
  const queue = openQueue(1);
  const gone = AbortSignal.abort(new Error("gave up"));
  await assert.rejects(queue.add("a", { signal: gone, timeoutMs: undefined }), /gave up/);
  const leaving = new AbortController();
  const b = queue.add("b", { signal: leaving.signal, timeoutMs: undefined });
  await settled();
  leaving.abort(new Error("gave up"));
  await assert.rejects(queue.end("b", b), /gave up/);
  assert.deepEqual(queue.begun, ["b"]);
});
