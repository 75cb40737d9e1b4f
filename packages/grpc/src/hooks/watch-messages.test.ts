import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { collect, streamOf } from "@tercel/test-support/async";
import { type MessageWatcher, watchMessages } from "./watch-messages.ts";

function noting(notes: unknown[]): MessageWatcher<unknown> {
  return {
    onMessage: (message) => notes.push(message),
    onEnd: () => notes.push("end"),
    onLeave: () => notes.push("leave"),
    onError(error) {
      notes.push("error");
      return error;
    },
  };
}

describe("watchMessages", () => {
  it("sees each message and the end, once", async () => {
    const notes: unknown[] = [];
    const watched = watchMessages(streamOf(1, 2), noting(notes))[Symbol.asyncIterator]();
    await watched.next();
    await watched.next();
    await watched.next();
    await watched.next();
    await watched.return?.();
    assert.deepEqual(notes, [1, 2, "end"]);
  });

  it("sees that the reader left, and lets the source clean up", async () => {
    const notes: unknown[] = [];
    async function* source() {
      try {
        yield 1;
        yield 2;
      } finally {
        notes.push("cleaned");
      }
    }
    for await (const _message of watchMessages(source(), noting(notes))) break;
    assert.deepEqual(notes, [1, "leave", "cleaned"]);
  });

  it("throws what the watcher makes of an error", async () => {
    async function* source() {
      yield 1;
      throw new Error("plain");
    }
    const watched = watchMessages(source(), { onError: (error) => new TypeError("better", { cause: error }) });
    await assert.rejects(collect(watched), { name: "TypeError", message: "better" });
  });

  it("turns what an iterator throws without a promise into a rejection", async () => {
    const notes: unknown[] = [];
    const source: AsyncIterable<number> = {
      [Symbol.asyncIterator]: () => ({
        next() {
          throw new Error("at once");
        },
      }),
    };
    await assert.rejects(collect(watchMessages(source, noting(notes))), { message: "at once" });
    assert.deepEqual(notes, ["error"]);
  });

  it("lets the reader leave a source that has no return", async () => {
    const notes: unknown[] = [];
    const source: AsyncIterable<number> = {
      [Symbol.asyncIterator]: () => ({ next: async () => ({ done: false, value: 1 }) }),
    };
    for await (const _message of watchMessages(source, noting(notes))) break;
    assert.deepEqual(notes, [1, "leave"]);
  });

  it("runs every step of the source where it is told to", async () => {
    const steps: string[] = [];
    async function* source() {
      try {
        yield steps.at(-1);
        yield steps.at(-1);
      } finally {
        steps.push("finally");
      }
    }
    const watched = watchMessages(source(), {}, (step) => {
      steps.push("in");
      return step();
    });
    assert.deepEqual(await collect(watched), ["in", "in"]);
    assert.deepEqual(steps, ["in", "in", "in", "in", "finally"]);
  });
});
