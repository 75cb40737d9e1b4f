import assert from "node:assert/strict";
import { it } from "node:test";
import { countLimits, createRegistry, exposition } from "./index.ts";

it("counts exceeded limits by name", () => {
  const registry = createRegistry();
  const onLimit = countLimits(registry);
  for (const limit of ["resets", "pings", "resets"]) onLimit({ limit });
  assert.deepEqual(exposition(registry).split("\n").slice(2, -1), [
    'grpc_limits_exceeded_total{limit="resets"} 2',
    'grpc_limits_exceeded_total{limit="pings"} 1',
  ]);
});
