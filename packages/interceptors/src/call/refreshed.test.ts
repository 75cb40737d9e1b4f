import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { createFakeClock } from "@tercel/grpc/testing";
import { Refreshed, type RefreshSettings } from "./refreshed.ts";

/** A source that counts its loads, and a value that is refreshed from it. */
function open(settings: Partial<RefreshSettings<string>> = {}) {
  const clock = createFakeClock();
  const source = { asked: 0, failure: undefined as Error | undefined };
  const failures: unknown[] = [];
  const refreshed = new Refreshed<string>(
    async () => {
      source.asked++;
      if (source.failure !== undefined) throw source.failure;
      return `value ${source.asked}`;
    },
    { clock, isStale: (_value, ageMs) => ageMs >= 1000, onFailure: (error) => failures.push(error), ...settings },
  );
  return { clock, source, failures, refreshed };
}

describe("a refreshed value", () => {
  it("is loaded once for all waiting callers, and then returned at once", async () => {
    const { refreshed, source } = open();
    assert.equal(source.asked, 0);
    assert.deepEqual(await Promise.all([refreshed.current(), refreshed.current(), refreshed.renewed()]), [
      "value 1",
      "value 1",
      "value 1",
    ]);
    assert.equal(refreshed.current(), "value 1");
  });

  it("is replaced in the background when it is stale", async () => {
    const { refreshed, clock, source } = open();
    await refreshed.current();
    await clock.advance(999);
    assert.equal(refreshed.current(), "value 1");
    assert.equal(source.asked, 1);
    await clock.advance(1);
    assert.equal(refreshed.current(), "value 1");
    assert.equal(refreshed.current(), "value 1");
    await clock.advance(0);
    assert.equal(source.asked, 2);
    assert.equal(refreshed.current(), "value 2");
  });

  it("makes callers wait when it is stale, with `waits`", async () => {
    const { refreshed, clock } = open({ waits: true });
    await refreshed.current();
    await clock.advance(1000);
    assert.equal(await refreshed.current(), "value 2");
  });

  it("stays in use after failures, which are reported, while it is usable", async () => {
    let isUsable = true;
    const { refreshed, clock, source, failures } = open({ waits: true, isUsable: () => isUsable });
    await refreshed.current();
    source.failure = new Error("down");
    await clock.advance(1000);
    assert.equal(await refreshed.current(), "value 1");
    assert.deepEqual(failures, [source.failure]);
    isUsable = false;
    await assert.rejects(async () => refreshed.current(), source.failure);
  });

  it("is loaded at most once per cooldown", async () => {
    const { refreshed, clock, source } = open({ cooldownMs: 2000 });
    await refreshed.current();
    assert.equal(await refreshed.renewed(), "value 1");
    await clock.advance(1999);
    assert.equal(refreshed.current(), "value 1");
    assert.equal(source.asked, 1);
    await clock.advance(1);
    assert.equal(await refreshed.renewed(), "value 2");
  });

  it("is loaded by every call before the first value, or at most once per cooldown", async () => {
    for (const coolsDownAtFirst of [false, true]) {
      const { refreshed, clock, source } = open({ cooldownMs: 2000, coolsDownAtFirst });
      source.failure = new Error("down");
      for (let at = 0; at < 3; at++) await assert.rejects(async () => refreshed.current(), source.failure);
      assert.equal(source.asked, coolsDownAtFirst ? 1 : 3);
      source.failure = undefined;
      await clock.advance(2000);
      assert.match(await refreshed.current(), /^value/);
    }
  });

  it("is loaded again after it was discarded, unless it was replaced before", async () => {
    const { refreshed, source } = open();
    const first = await refreshed.current();
    refreshed.discard(first);
    assert.equal(await refreshed.current(), "value 2");
    refreshed.discard(first);
    assert.equal(refreshed.current(), "value 2");
    assert.equal(source.asked, 2);
  });

  it("can have an initial value instead of the first load", async () => {
    const clock = createFakeClock();
    const settings = { clock, isStale: () => false };
    const refreshed = new Refreshed(() => assert.fail("nothing to load"), settings, "given");
    assert.equal(refreshed.current(), "given");
  });
});
