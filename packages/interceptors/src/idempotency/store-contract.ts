import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import type { IdempotencyStore } from "./store.ts";

/** A store under test, with control of its time. */
export interface IdempotencyStoreSubject {
  readonly store: IdempotencyStore;
  /** A second store with the same data, as in another process; the same object if processes cannot share the data. */
  readonly other: IdempotencyStore;
  /** Advances the time of leases and responses. */
  elapse(ms: number): Promise<void>;
  close?(): Promise<void>;
}

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const leaseMs = 1_000_000;
const ttlMs = 5_000_000;

/** Declares tests for the contract of `IdempotencyStore`. */
export function describeIdempotencyStoreContract(name: string, open: () => Promise<IdempotencyStoreSubject>): void {
  describe(`${name} fulfils the contract of idempotency stores`, { timeout: 120_000 }, () => {
    let subject: IdempotencyStoreSubject;
    before(async () => {
      subject = await open();
    });
    after(() => subject.close?.());

    it("gives a key to the first caller, and reports to others that it is running, with the fingerprint", async () => {
      const { store, other } = subject;
      assert.deepEqual(await store.begin("a", "print", "me", leaseMs), { state: "begun" });
      for (const one of [store, other]) {
        assert.deepEqual(await one.begin("a", "another print", "you", leaseMs), {
          state: "running",
          fingerprint: "print",
        });
      }
    });

    it("gives a key to exactly one of many concurrent callers", async () => {
      const { store, other } = subject;
      const asked = Array.from({ length: 20 }, (_, at) =>
        (at % 2 === 0 ? store : other).begin("b", "print", `owner ${at}`, leaseMs),
      );
      const states = (await Promise.all(asked)).map(({ state }) => state);
      assert.equal(states.filter((state) => state === "begun").length, 1);
      assert.equal(states.filter((state) => state === "running").length, 19);
    });

    it("stores the response unchanged until its TTL ends", async () => {
      const { store, other, elapse } = subject;
      const response = Uint8Array.from({ length: 256 }, (_, byte) => byte);
      await store.begin("c", "print", "me", leaseMs);
      assert.equal(await store.complete("c", "me", response, ttlMs), true);
      await elapse(ttlMs - 60_000);
      const begun = await other.begin("c", "print", "you", leaseMs);
      assert.ok(begun.state === "done");
      assert.equal(begun.fingerprint, "print");
      assert.deepEqual(new Uint8Array(begun.response), response);
      await elapse(60_001);
      assert.deepEqual(await other.begin("c", "print", "you", leaseMs), { state: "begun" });
    });

    it("locks a key for the lease, and gives it to another owner after that", async () => {
      const { store, other, elapse } = subject;
      await store.begin("e", "print", "me", leaseMs);
      await elapse(leaseMs - 60_000);
      assert.equal((await other.begin("e", "print", "you", leaseMs)).state, "running");
      await elapse(60_001);
      assert.equal((await other.begin("e", "second print", "you", leaseMs)).state, "begun");
      assert.equal(await store.complete("e", "me", bytes("late"), ttlMs), false);
      assert.equal(await store.renew("e", "me", leaseMs), false);
      await store.release("e", "me");
      assert.deepEqual(await store.begin("e", "print", "me", leaseMs), {
        state: "running",
        fingerprint: "second print",
      });
    });

    it("renews a lease for its owner only", async () => {
      const { store, other, elapse } = subject;
      await store.begin("f", "print", "me", leaseMs);
      await elapse(leaseMs - 60_000);
      assert.equal(await store.renew("f", "me", leaseMs), true);
      assert.equal(await store.renew("f", "you", leaseMs), false);
      await elapse(leaseMs - 60_000);
      assert.equal((await other.begin("f", "print", "you", leaseMs)).state, "running");
    });

    it("gives a released key to the next caller, and only the owner can release it", async () => {
      const { store, other } = subject;
      await store.begin("g", "print", "me", leaseMs);
      await other.release("g", "you");
      assert.equal((await other.begin("g", "print", "you", leaseMs)).state, "running");
      await store.release("g", "me");
      assert.equal((await other.begin("g", "another print", "you", leaseMs)).state, "begun");
    });

    it("keeps a response whatever its owner does after completing", async () => {
      const { store } = subject;
      await store.begin("h", "print", "me", leaseMs);
      await store.complete("h", "me", bytes("first"), ttlMs);
      assert.equal(await store.complete("h", "me", bytes("second"), ttlMs), false);
      assert.equal(await store.renew("h", "me", 1), false);
      await store.release("h", "me");
      const begun = await store.begin("h", "print", "you", leaseMs);
      assert.equal(begun.state === "done" && new TextDecoder().decode(begun.response), "first");
    });
  });
}
