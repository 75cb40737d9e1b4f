import assert from "node:assert/strict";
import { test } from "node:test";
import { HangWatch } from "./hang-watch.ts";

test("an input may compute up to the limit", () => {
  const watch = new HangWatch(20_000);
  assert.equal(watch.look(1, { cpuMs: 500, idleMs: 0 }), undefined);
  assert.equal(watch.look(1, { cpuMs: 20_499, idleMs: 0 }), undefined);
  assert.equal(watch.look(1, { cpuMs: 20_500, idleMs: 0 }), "one input has computed for 20 s");
});

test("an input may be idle up to the limit", () => {
  const watch = new HangWatch(20_000);
  watch.look(1, { cpuMs: 0, idleMs: 300 });
  assert.equal(watch.look(1, { cpuMs: 0, idleMs: 20_299 }), undefined);
  assert.equal(watch.look(1, { cpuMs: 0, idleMs: 20_300 }), "one input has waited for 20 s");
});

test("a thread that does not get a core does not count as hanging, for any number of checks", () => {
  const watch = new HangWatch(20_000);
  for (let look = 0; look < 1000; look++) assert.equal(watch.look(1, { cpuMs: 40, idleMs: 2 }), undefined);
});

test("each input has the whole time limit", () => {
  const watch = new HangWatch(20_000);
  for (let serial = 1; serial < 10; serial++) {
    assert.equal(watch.look(serial, { cpuMs: serial * 20_000, idleMs: 0 }), undefined);
    assert.equal(watch.look(serial, { cpuMs: serial * 20_000 + 19_999, idleMs: 19_999 }), undefined);
  }
});
