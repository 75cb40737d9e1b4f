import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Code, ConnectError } from "@connectrpc/connect";
import { assertStatus, createFakeClock } from "@tercel/grpc/testing";
import { createOccasion } from "@tercel/test-support/async";
import { openInMemory, overBothTransports } from "../../test/support/open-echo.ts";
import { type ClientCacheOptions, createClientCache } from "./index.ts";

const echo = "tercel.interceptors.test.v1.EchoService/Unary";
const other = "tercel.interceptors.test.v1.OtherService";

describe("client cache", () => {
  overBothTransports((open) => {
    it("responds from the cache for methods without side effects, with metadata, within the TTL", async (t) => {
      const clock = createFakeClock();
      const told: string[] = [];
      const cache = createClientCache({
        ttlMs: 1000,
        clock,
        observer: { onHit: (name) => told.push(`hit ${name}`), onMiss: (name) => told.push(`miss ${name}`) },
      });
      let calls = 0;
      const { other: client } = await open(
        t,
        {},
        {
          channel: { interceptors: [cache] },
          other: {
            unary(request, context) {
              context.responseHeader.set("x-call", String(++calls));
              return { text: request.text, account: { name: "a" } };
            },
          },
        },
      );
      const seen: unknown[] = [];
      const look = { onHeader: (header: Headers) => seen.push(header.get("x-call")) };
      const first = await client.unary({ text: "a" }, look);
      assert.ok(first.account);
      first.account.name = "changed by a caller";
      await clock.advance(999);
      assert.equal((await client.unary({ text: "a" }, look)).account?.name, "a");
      await clock.advance(1);
      await client.unary({ text: "a" }, look);
      await client.unary({ text: "b" }, look);
      assert.deepEqual(seen, ["1", "1", "2", "3"]);
      assert.deepEqual(
        told,
        ["miss", "hit", "miss", "miss"].map((what) => `${what} ${other}/Unary`),
      );
    });
  });

  async function openCounting(t: Parameters<typeof openInMemory>[0], options: ClientCacheOptions) {
    const cache = createClientCache(options);
    let calls = 0;
    const unary = () => ({ count: ++calls });
    const opened = await openInMemory(t, { unary }, { channel: { interceptors: [cache] }, other: { unary } });
    return { ...opened, cache };
  }

  it("caches only safe methods, and those in its options", async (t) => {
    const byDefault = await openCounting(t, {});
    await byDefault.client.unary({});
    assert.equal((await byDefault.client.unary({})).count, 2);
    const told = await openCounting(t, { methods: { [echo]: {}, [`${other}/*`]: false } });
    await told.client.unary({});
    assert.equal((await told.client.unary({})).count, 1);
    await told.other.unary({});
    assert.equal((await told.other.unary({})).count, 3);
  });

  it("returns no response of another caller, unless `vary` allows it", async (t) => {
    const as = (token: string) => ({ headers: { authorization: token } });
    const apart = await openCounting(t, {});
    await apart.other.unary({}, as("a"));
    assert.equal((await apart.other.unary({}, as("b"))).count, 2);
    assert.equal((await apart.other.unary({}, as("a"))).count, 1);
    const shared = await openCounting(t, { vary: [] });
    await shared.other.unary({}, as("a"));
    assert.equal((await shared.other.unary({}, as("b"))).count, 1);
  });

  it("merges concurrent equal calls into one", async (t) => {
    const entered = createOccasion();
    const go = createOccasion();
    const cache = createClientCache();
    let calls = 0;
    const { other: client } = await openInMemory(
      t,
      {},
      {
        channel: { interceptors: [cache] },
        other: {
          async unary() {
            entered.happen();
            await go.happened;
            return { count: ++calls };
          },
        },
      },
    );
    const all = Array.from({ length: 5 }, () => client.unary({}));
    await entered.happened;
    go.happen();
    assert.deepEqual(
      (await Promise.all(all)).map(({ count }) => count),
      [1, 1, 1, 1, 1],
    );
  });

  it("runs another call when the first is cancelled, and caches no errors", async (t) => {
    const entered = createOccasion();
    const cache = createClientCache();
    let calls = 0;
    const { other: client } = await openInMemory(
      t,
      {},
      {
        channel: { interceptors: [cache] },
        other: {
          async unary(_request, context) {
            calls++;
            if (calls === 1) {
              entered.happen();
              await new Promise((resolve) => context.signal.addEventListener("abort", resolve));
            }
            if (calls === 2) throw new ConnectError("no such thing", Code.NotFound);
            return { count: calls };
          },
        },
      },
    );
    const cancel = new AbortController();
    const first = assertStatus(client.unary({}, { signal: cancel.signal }), Code.Canceled);
    const second = assertStatus(client.unary({}), Code.NotFound);
    await entered.happened;
    cancel.abort();
    await Promise.all([first, second]);
    assert.equal((await client.unary({})).count, 3);
  });

  it("invalidates by method, by service and completely, also running calls", async (t) => {
    const entered = createOccasion();
    const go = createOccasion();
    const cache = createClientCache();
    let calls = 0;
    const { other: client } = await openInMemory(
      t,
      {},
      {
        channel: { interceptors: [cache] },
        other: {
          async unary() {
            calls++;
            const count = calls;
            if (count === 1) {
              entered.happen();
              await go.happened;
            }
            return { count };
          },
        },
      },
    );
    const stale = client.unary({});
    await entered.happened;
    cache.invalidate(`${other}/Unary`);
    assert.equal((await client.unary({})).count, 2, "joined no call of before");
    go.happen();
    assert.equal((await stale).count, 1);
    assert.equal((await client.unary({})).count, 2, "kept what is newer");
    cache.invalidate("tercel.interceptors.test.v1.Other/*");
    assert.equal(cache.size, 1, "part of a name is no name");
    cache.invalidate(`${other}/*`);
    assert.equal((await client.unary({})).count, 3);
    cache.invalidate();
    assert.deepEqual([cache.size, cache.bytes], [0, 0]);
  });

  it("drops the least recently used responses at its limits of entries and bytes", async (t) => {
    for (const options of [{ maxEntries: 2 }, { maxBytes: 900 }]) {
      const { other: client, cache } = await openCounting(t, options);
      await client.unary({ text: "a" });
      await client.unary({ text: "b" });
      await client.unary({ text: "a" });
      await client.unary({ text: "c" });
      assert.equal(cache.size, 2);
      assert.equal((await client.unary({ text: "a" })).count, 1);
      assert.equal((await client.unary({ text: "b" })).count, 4);
    }
    const { other: client, cache } = await openCounting(t, { maxBytes: 200 });
    await client.unary({});
    assert.equal(cache.size, 0, "larger than all that may be kept");
  });

  it("rejects invalid options", () => {
    assert.throws(() => createClientCache({ ttlMs: 0 }), /ttlMs is 0/);
    assert.throws(() => createClientCache({ maxEntrys: 1 } as object), /did you mean "maxEntries"/);
    assert.throws(() => createClientCache({ methods: { [echo]: { ttl: 1 } as object } }), /unknown option "ttl"/);
  });
});
