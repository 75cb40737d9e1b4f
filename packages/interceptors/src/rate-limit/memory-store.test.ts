import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { createFakeClock } from "@tercel/grpc/testing";
import { createMemoryStore } from "./index.ts";

const limit = { requests: 2, per: "minute" } as const;

describe("createMemoryStore", () => {
  it("allows the limit in a window, and again in the next", async () => {
    const clock = createFakeClock();
    const store = createMemoryStore({ clock });
    const take = () => store.take("a", limit).isAllowed;
    assert.deepEqual([take(), take(), take()], [true, true, false]);
    await clock.advance(59_999);
    assert.equal(store.take("a", limit).retryAfterMs, 1);
    assert.equal(take(), false);
    await clock.advance(1);
    assert.deepEqual([take(), take(), take()], [true, true, false]);
    assert.equal(clock.pendingTimers, 0);
  });

  it("counts keys separately", () => {
    const store = createMemoryStore({ clock: createFakeClock() });
    store.take("a", limit);
    store.take("a", limit);
    assert.equal(store.take("a", limit).isAllowed, false);
    assert.equal(store.take("b", limit).isAllowed, true);
  });

  it("keeps at most maxKeys keys, and those in use", () => {
    const store = createMemoryStore({ clock: createFakeClock(), maxKeys: 1000 });
    const busy = () => store.take("busy", limit).isAllowed;
    assert.deepEqual([busy(), busy()], [true, true]);
    for (let at = 0; at < 1_000_000; at++) {
      store.take(`client ${at}`, limit);
      if (at % 500 === 0) assert.equal(busy(), false);
    }
    assert.equal(store.size, 1000);
  });

  it("rejects invalid options", () => {
    assert.throws(() => createMemoryStore({ maxKeys: 0 }), RangeError);
    assert.throws(() => createMemoryStore({ maxkeys: 1 } as never), /did you mean "maxKeys"/);
  });
});
