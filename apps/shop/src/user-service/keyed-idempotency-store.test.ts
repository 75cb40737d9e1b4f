import assert from "node:assert/strict";
import { test } from "node:test";
import { createMemoryIdempotencyStore, type IdempotencyStore } from "@tercel/interceptors/idempotency";
import { createKeyedIdempotencyStore } from "./keyed-idempotency-store.ts";

const key = new Uint8Array(32).fill(7);

test("the same request is told by its fingerprint, another one is not, and answers pass", async () => {
  const store = createKeyedIdempotencyStore(createMemoryIdempotencyStore(), key);
  assert.deepEqual(await store.begin("id", "print", "me", 1_000), { state: "begun" });
  assert.deepEqual(await store.begin("id", "print", "you", 1_000), { state: "running", fingerprint: "print" });
  assert.equal(await store.renew("id", "me", 1_000), true);
  assert.equal(await store.complete("id", "me", new Uint8Array([1]), 1_000), true);
  const answer = new Uint8Array([1]);
  assert.deepEqual(await store.begin("id", "print", "you", 1_000), { state: "done", fingerprint: "print", answer });
  const other = await store.begin("id", "other", "you", 1_000);
  assert.equal(other.state, "done");
  assert.notEqual(other.state === "done" && other.fingerprint, "other");
});

test("a key that is released is free again", async () => {
  const store = createKeyedIdempotencyStore(createMemoryIdempotencyStore(), key);
  await store.begin("id", "print", "me", 1_000);
  await store.release("id", "me");
  assert.deepEqual(await store.begin("id", "other", "you", 1_000), { state: "begun" });
});

test("what is stored is another text under another key, and never the fingerprint", async () => {
  const stored: string[] = [];
  const recording: IdempotencyStore = {
    ...createMemoryIdempotencyStore(),
    async begin(_id, fingerprint) {
      stored.push(fingerprint);
      return { state: "begun" };
    },
  };
  for (const one of [key, key, new Uint8Array(32)]) {
    await createKeyedIdempotencyStore(recording, one).begin("id", "print", "me", 1_000);
  }
  assert.equal(stored[0], stored[1]);
  assert.equal(new Set([...stored, "print"]).size, 3);
});
