import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import type { CacheStore } from "./cache-store.ts";

/** A store under test. */
export interface CacheStoreSubject {
  readonly store: CacheStore;
  close?(): Promise<void>;
}

/** Declares tests for the contract of `CacheStore`. */
export function describeCacheStoreContract(name: string, open: () => Promise<CacheStoreSubject>): void {
  describe(`${name} fulfils the contract of cache stores`, { timeout: 120_000 }, () => {
    let subject: CacheStoreSubject;
    before(async () => {
      subject = await open();
    });
    after(() => subject.close?.());

    it("stores strings unchanged, and has nothing under an unknown key", async () => {
      const { store } = subject;
      await store.set("a", "ä\n\u0000 1", 60_000);
      assert.equal(await store.get("a"), "ä\n\u0000 1");
      assert.equal(await store.get("b"), undefined);
      await store.set("a", "", 60_000);
      assert.equal(await store.get("a"), "");
      await store.delete("a");
      await store.delete("a");
      assert.equal(await store.get("a"), undefined);
    });

    it("deletes by prefix, without wildcards", async () => {
      const { store } = subject;
      for (const key of ["user:1", "user:2", "user*x", "other"]) await store.set(key, key, 60_000);
      await store.deletePrefix("user*");
      assert.deepEqual(await Promise.all(["user:1", "user*x"].map((key) => store.get(key))), ["user:1", undefined]);
      await store.deletePrefix("user:");
      assert.deepEqual(await Promise.all(["user:1", "user:2", "other"].map((key) => store.get(key))), [
        undefined,
        undefined,
        "other",
      ]);
    });
  });
}
