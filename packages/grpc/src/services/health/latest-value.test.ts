import assert from "node:assert/strict";
import { getEventListeners } from "node:events";
import { test } from "node:test";
import { createLatestValue } from "./latest-value.ts";

test("gives the value that was set before the read", async () => {
  const slot = createLatestValue<number>(new AbortController().signal);
  slot.set(1);
  assert.equal(await slot.next(), 1);
});

test("gives the value that is set during the read", async () => {
  const slot = createLatestValue<number>(new AbortController().signal);
  const read = slot.next();
  slot.set(2);
  assert.equal(await read, 2);
});

test("keeps only the latest value", async () => {
  const slot = createLatestValue<number>(new AbortController().signal);
  for (let value = 0; value < 1000; value++) slot.set(value);
  assert.equal(await slot.next(), 999);
  const read = slot.next();
  slot.set(5);
  assert.equal(await read, 5);
});

test("ends reads when closed and ignores what is set then", async () => {
  const slot = createLatestValue<number>(new AbortController().signal);
  const read = slot.next();
  slot.close();
  slot.set(1);
  assert.equal(await read, undefined);
  assert.equal(await slot.next(), undefined);
});

test("drops an unread value on close", async () => {
  const slot = createLatestValue<number>(new AbortController().signal);
  slot.set(1);
  slot.close();
  assert.equal(await slot.next(), undefined);
});

test("closes when the signal aborts, before or later", async () => {
  const controller = new AbortController();
  const read = createLatestValue<number>(controller.signal).next();
  controller.abort();
  assert.equal(await read, undefined);
  assert.equal(await createLatestValue<number>(controller.signal).next(), undefined);
});

test("lets go of the signal when closed", () => {
  const { signal } = new AbortController();
  const slot = createLatestValue<number>(signal);
  assert.equal(getEventListeners(signal, "abort").length, 1);
  slot.close();
  assert.equal(getEventListeners(signal, "abort").length, 0);
});
