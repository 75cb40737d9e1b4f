import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { EventRecord } from "../event-record.ts";
import { appendInLanes } from "./append-in-lanes.ts";

const record = (id: string, key = "", topic = "a"): EventRecord => ({
  id,
  topic,
  key,
  payload: new Uint8Array(),
  traceParent: "",
  publishedMs: 0,
});

const noFailure = (): void => assert.fail("a failure was reported");

describe("storing events in lanes", () => {
  it("stores nothing of a key after a failure, and everything of others", async () => {
    const records = [record("1", "x"), record("2", "x"), record("3", "y"), record("4"), record("5", "x", "b")];
    const reported: unknown[] = [];
    const stored = await appendInLanes(
      records,
      async ({ id }) => {
        if (id === "1") throw new Error("no");
      },
      (error) => reported.push(error),
    );
    assert.deepEqual(reported, [new Error("no")]);
    assert.deepEqual(stored, new Set(["3", "4", "5"]));
  });

  it("waits for one of a key before the next, and for no other", async () => {
    const begun: string[] = [];
    const finish: (() => void)[] = [];
    const storing = appendInLanes(
      [record("1", "x"), record("2", "x"), record("3")],
      ({ id }) => {
        begun.push(id);
        return new Promise((resolve) => finish.push(resolve));
      },
      noFailure,
    );
    assert.deepEqual(begun, ["1", "3"]);
    finish.shift()?.();
    finish.shift()?.();
    await new Promise((resolve) => setImmediate(resolve));
    assert.deepEqual(begun, ["1", "3", "2"]);
    finish.shift()?.();
    assert.equal((await storing).size, 3);
  });

  it("fails when nothing is stored, and has nothing to do without events", async () => {
    const failing = appendInLanes(
      [record("1")],
      async () => {
        throw new Error("away");
      },
      noFailure,
    );
    await assert.rejects(failing, /away/);
    assert.deepEqual(await appendInLanes([], async () => {}, noFailure), new Set());
  });
});
