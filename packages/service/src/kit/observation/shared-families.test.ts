import assert from "node:assert/strict";
import { test } from "node:test";
import { createRegistry } from "@tercel/interceptors/metrics";
import { createSharedFamilies } from "./shared-families.ts";

test("a family that is asked for again is the same, and another of its name is refused", () => {
  const registry = createSharedFamilies(createRegistry());
  const options = { help: "Pools.", labels: ["name"] };
  assert.equal(registry.gauge("pool_size", options), registry.gauge("pool_size", options));
  assert.throws(
    () => registry.gauge("pool_size", { ...options, labels: ["name", "kind"] }),
    /metric pool_size is a gauge with the labels \(name\); it cannot also be a gauge with \(name, kind\)/,
  );
  assert.throws(() => registry.histogram("pool_size", options), /it cannot also be a histogram/);
  registry.counter("opened_total", { help: "Opened." }).with().add(2);
  assert.deepEqual(
    registry.collect().map(({ name }) => name),
    ["pool_size", "opened_total"],
  );
});

test("what others have registered stays theirs", () => {
  const own = createRegistry();
  own.gauge("pool_size", { help: "Pools." });
  assert.throws(() => createSharedFamilies(own).gauge("pool_size", { help: "Pools." }), /registered already/);
});
