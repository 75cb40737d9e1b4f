import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { collect, streamOf } from "@tercel/test-support/async";
import { gateMessages } from "./gate-messages.ts";

describe("gateMessages", () => {
  it("lets through what is admitted, at once or later", async () => {
    assert.deepEqual(await collect(gateMessages(streamOf(1, 2), () => {})), [1, 2]);
    assert.deepEqual(await collect(gateMessages(streamOf(1, 2), () => Promise.resolve())), [1, 2]);
  });

  it("stops at what is not, and lets the source clean up", async () => {
    for (const refuse of [() => assert.fail("no"), () => Promise.reject(new Error("no"))]) {
      let isClean = false;
      async function* source() {
        try {
          yield 1;
          yield 2;
        } finally {
          isClean = true;
        }
      }
      const seen: number[] = [];
      const reading = async (): Promise<void> => {
        for await (const one of gateMessages(source(), (message) => (message === 2 ? refuse() : undefined)))
          seen.push(one);
      };
      await assert.rejects(reading, { message: "no" });
      assert.deepEqual([seen, isClean], [[1], true]);
    }
  });

  it("does not wait for a source that hangs", async () => {
    const source: AsyncIterable<number> = {
      [Symbol.asyncIterator]: () => ({
        next: async () => ({ done: false, value: 1 }),
        return: () => new Promise(() => {}),
      }),
    };
    await assert.rejects(collect(gateMessages(source, () => assert.fail("no"))), { message: "no" });
  });

  it("hands on that the reader left", async () => {
    let isClean = false;
    async function* source() {
      try {
        yield 1;
        yield 2;
      } finally {
        isClean = true;
      }
    }
    for await (const _message of gateMessages(source(), () => {})) break;
    assert.equal(isClean, true);
  });
});
