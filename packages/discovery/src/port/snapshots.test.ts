import assert from "node:assert/strict";
import { test } from "node:test";
import { createFakeClock } from "@tercel/grpc/testing";
import { createInstance } from "./instance.ts";
import { serviceSnapshots } from "./snapshots.ts";
import { WatchHub } from "./watch-hub.ts";
import type { WatchSink } from "./watched-service.ts";

const instance = (id: string, version = "") => createInstance({ id, version, name: "orders", address: "a", port: 1 });

function setUp() {
  const clock = createFakeClock();
  let sink: WatchSink | undefined;
  let isFollowed = false;
  const hub = new WatchHub(clock, (_, given) => {
    sink = given;
    isFollowed = true;
    return () => {
      isFollowed = false;
    };
  });
  return { clock, hub, sink: () => sink as WatchSink, isFollowed: () => isFollowed };
}

test("a slow reader gets the newest snapshot, with all changes since the one it read", async () => {
  const { clock, hub, sink, isFollowed } = setUp();
  const reading = serviceSnapshots(hub, "orders");
  const first = reading.next();
  sink().replace([instance("a"), instance("b"), instance("c")]);
  assert.deepEqual(
    (await first).value?.added.map(({ id }) => id),
    ["a", "b", "c"],
  );
  await clock.advance(20);
  sink().change([instance("a", "v2"), instance("d")], ["b"]);
  await clock.advance(20);
  sink().change([instance("e")], ["c", "d"]);
  await clock.advance(20);
  const { value } = await reading.next();
  assert.ok(value);
  const idsOf = (list: readonly { readonly id: string }[]) => list.map(({ id }) => id).sort();
  assert.deepEqual(idsOf(value.instances), ["a", "e"]);
  assert.deepEqual([value.added, value.changed, value.removed].map(idsOf), [["e"], ["a"], ["b", "c"]]);
  await reading.return();
  assert.equal(isFollowed(), false);
});

test("an aborted signal ends the loop and the watch", async () => {
  const { hub, isFollowed } = setUp();
  const controller = new AbortController();
  const reading = serviceSnapshots(hub, "orders", controller.signal);
  const next = reading.next();
  assert.equal(isFollowed(), true);
  controller.abort();
  assert.equal((await next).done, true);
  assert.equal(isFollowed(), false);
});
