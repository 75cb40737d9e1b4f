import assert from "node:assert/strict";
import { test } from "node:test";
import { GrowthAllowance, WindowGrowth } from "./window-growth.ts";

const kib = 1024;
const plenty = 16_384 * kib;

/** A link on which `bytes` arrive in each round trip of `roundTripMs`; returns by how much the windows grow. */
class Link {
  readonly growth: WindowGrowth;
  private now = 0;
  private isNew = true;

  constructor(windowBytes: number, maxBytes: number, allowance = new GrowthAllowance(plenty)) {
    this.growth = new WindowGrowth(windowBytes, maxBytes, allowance);
  }

  roundTrip(bytes: number, { roundTripMs = 50, heldBytes = 0 } = {}): number {
    if (this.isNew) {
      this.isNew = false;
      this.begin();
      this.now += roundTripMs;
      this.growth.answered(this.now, heldBytes);
    }
    this.begin();
    this.growth.received(bytes, { nowMs: () => assert.fail("a measurement began within another") });
    this.now += roundTripMs;
    return this.growth.answered(this.now, heldBytes);
  }

  /** What comes before a measurement is not part of it. */
  private begin(): void {
    while (this.growth.received(kib, { nowMs: () => this.now }) === undefined);
  }
}

const atOnce = { nowMs: () => 0 };

test("measures once a quarter of a window has come, and not before", () => {
  const growth = new WindowGrowth(400 * kib, plenty, new GrowthAllowance(plenty));
  assert.equal(growth.received(100 * kib - 1, atOnce), undefined);
  assert.equal(growth.received(1, atOnce), "measure");
  assert.equal(growth.received(200 * kib, atOnce), undefined);
  growth.answered(1, 0);
  assert.equal(growth.received(1, atOnce), undefined);
});

test("becomes four times as large the first time, once two thirds of it came before the answer, and not before", () => {
  const growth = new WindowGrowth(96 * kib, plenty, new GrowthAllowance(plenty));
  assert.equal(growth.received(24 * kib, atOnce), "measure");
  assert.equal(growth.received(64 * kib - 1, atOnce), undefined);
  assert.equal(growth.received(1, atOnce), "filled");
  assert.equal(growth.filled(0), 288 * kib);
  assert.equal(growth.windowBytes, 384 * kib);
  assert.equal(growth.received(plenty, atOnce), undefined);
});

test("grows by measuring alone once something is known of the link", () => {
  const growth = new WindowGrowth(96 * kib, plenty, new GrowthAllowance(plenty));
  growth.received(24 * kib, atOnce);
  growth.answered(50, 0);
  assert.equal(growth.received(24 * kib, atOnce), "measure");
  assert.equal(growth.received(96 * kib, atOnce), undefined);
});

test("the first time, too, does not grow for an application that leaves more than half of it unread", () => {
  const growth = new WindowGrowth(96 * kib, plenty, new GrowthAllowance(plenty));
  growth.received(24 * kib, atOnce);
  growth.received(64 * kib, atOnce);
  assert.equal(growth.filled(48 * kib + 1), 0);
  assert.equal(growth.windowBytes, 96 * kib);
});

test("takes nothing in no time for no speed at all", () => {
  const growth = new WindowGrowth(96 * kib, plenty, new GrowthAllowance(plenty));
  growth.received(24 * kib, atOnce);
  assert.equal(growth.answered(0, 0), 0);
  growth.received(24 * kib, atOnce);
  growth.received(64 * kib, atOnce);
  assert.equal(growth.answered(50, 0), 32 * kib);
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
  assert.equal(link.growth.received(plenty, atOnce), undefined);
});

test("never measures when it must not grow", () => {
  const growth = new WindowGrowth(64 * kib, 0, new GrowthAllowance(plenty));
  assert.equal(growth.received(plenty, atOnce), undefined);
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
