import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { startOrder } from "./start-order.ts";

function order(
  ...services: readonly (readonly [name: string, ...dependencies: string[]])[]
): Record<string, readonly string[]> {
  return Object.fromEntries(startOrder(services.map(([name, ...dependencies]) => ({ name, dependencies }))));
}

describe("the start order", () => {
  it("has each service wait for those that it depends on", () => {
    assert.deepEqual(order(["user", "order", "mail"], ["order", "payment"], ["payment"], ["mail"]), {
      user: ["order", "mail"],
      order: ["payment"],
      payment: [],
      mail: [],
    });
  });

  it("waits for none that is somewhere else", () => {
    assert.deepEqual(order(["user", "ledger"]), { user: [] });
  });

  it("breaks a circle at the service that is listed first", () => {
    assert.deepEqual(order(["user", "order"], ["order", "payment"], ["payment", "user"]), {
      payment: [],
      order: ["payment"],
      user: ["order"],
    });
    assert.deepEqual(order(["self", "self"]), { self: [] });
  });

  it("never has services wait for each other, whatever they depend on", () => {
    const names = ["a", "b", "c", "d"];
    for (let bits = 0; bits < 1 << 12; bits++) {
      let at = 0;
      const services = names.map((name) => ({
        name,
        dependencies: names.filter((other) => other !== name && ((bits >> at++) & 1) === 1),
      }));
      const waits = startOrder(services);
      const started = new Set<string>();
      for (let round = 0; round < names.length; round++) {
        for (const [name, waited] of waits) if (waited.every((one) => started.has(one))) started.add(name);
      }
      assert.equal(started.size, names.length, JSON.stringify(services));
    }
  });
});
