import assert from "node:assert/strict";
import { test } from "node:test";
import { GrowthAllowance, WindowGrowth } from "./window-growth.ts";

const kib = 1024;
const plenty = 16_384 * kib;

/** A link on which `octets` arrive in each round trip of `roundTripMs`; returns by how much the windows grow. */
class Link {
  readonly growth: WindowGrowth;
  private now = 0;

  constructor(windowBytes: number, maxBytes: number, allowance = new GrowthAllowance(plenty)) {
    this.growth = new WindowGrowth(windowBytes, maxBytes, allowance);
  }

  roundTrip(octets: number, { roundTripMs = 50, heldBytes = 0 } = {}): number {
    // What comes before a measurement is not part of it.
    while (!this.growth.received(kib, () => this.now));
    this.growth.received(octets, () => assert.fail("a measurement began within another"));
    this.now += roundTripMs;
    return this.growth.answered(this.now, heldBytes);
  }
}

test("measures once a third of a window has come, and not before", () => {
  const growth = new WindowGrowth(300 * kib, plenty, new GrowthAllowance(plenty));
  assert.equal(
    growth.received(100 * kib - 1, () => 0),
    false,
  );
  assert.equal(
    growth.received(1, () => 0),
    true,
  );
  assert.equal(
    growth.received(300 * kib, () => 0),
    false,
  );
  growth.answered(1, 0);
  assert.equal(
    growth.received(1, () => 1),
    false,
  );
});

test("doubles what a round trip brought once that is two thirds of the window, and not before", () => {
  const link = new Link(96 * kib, plenty);
  assert.equal(link.roundTrip(64 * kib - 1), 0);
  assert.equal(link.roundTrip(64 * kib), 32 * kib);
  assert.equal(link.growth.windowBytes, 128 * kib);
});

test("reaches a link's bandwidth-delay product and stays there", () => {
  const productBytes = 700 * kib;
  const link = new Link(64 * kib, plenty);
  for (let round = 0; round < 20; round++) link.roundTrip(Math.min(link.growth.windowBytes, productBytes));
  assert.ok(link.growth.windowBytes >= productBytes, `${link.growth.windowBytes}`);
  assert.ok(link.growth.windowBytes < 3 * productBytes, `${link.growth.windowBytes}`);
});

test("does not take a longer queue for a faster link", () => {
  const link = new Link(64 * kib, plenty);
  assert.equal(link.roundTrip(64 * kib, { roundTripMs: 10 }), 64 * kib);
  // Twice as much in twice the time: nothing is won by more.
  assert.equal(link.roundTrip(128 * kib, { roundTripMs: 40 }), 0);
  assert.equal(link.growth.windowBytes, 128 * kib);
});

test("does not grow for an application that leaves more than half of a window unread", () => {
  const link = new Link(64 * kib, plenty);
  assert.equal(link.roundTrip(64 * kib, { heldBytes: 32 * kib + 1 }), 0);
  assert.equal(link.roundTrip(64 * kib + 1, { heldBytes: 32 * kib }), 64 * kib + 2);
});

test("grows to its maximum, and measures no more there", () => {
  const link = new Link(64 * kib, 100 * kib);
  assert.equal(link.roundTrip(64 * kib), 36 * kib);
  assert.equal(
    link.growth.received(plenty, () => 0),
    false,
  );
});

test("never measures when it must not grow", () => {
  const growth = new WindowGrowth(64 * kib, 0, new GrowthAllowance(plenty));
  assert.equal(
    growth.received(plenty, () => 0),
    false,
  );
});

test("shares an allowance, and gives back what it took when it ends", () => {
  const allowance = new GrowthAllowance(64 * kib);
  const first = new Link(64 * kib, plenty, allowance);
  const second = new Link(64 * kib, plenty, allowance);
  assert.equal(first.roundTrip(64 * kib), 64 * kib);
  assert.equal(second.roundTrip(64 * kib), 0);
  first.growth.end();
  first.growth.end();
  assert.equal(new Link(64 * kib, plenty, allowance).roundTrip(64 * kib), 64 * kib);
  assert.equal(new Link(64 * kib, plenty, allowance).roundTrip(64 * kib), 0);
});
