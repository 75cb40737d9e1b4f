import assert from "node:assert/strict";
import { test } from "node:test";
import { UsageError } from "../options.ts";
import { requireSameRun } from "./same-run.ts";

const run = {
  commit: "1a2b3c4",
  options: { rounds: 3, seconds: 1.5 },
  versions: { node: "24.21.0", "grpc-js": "1.14.7" },
  machine: { cpu: "A CPU", cores: 2, memoryBytes: 1, kernel: "6.1" },
};

test("lets parts of one run through, whatever the memory that is free", () => {
  requireSameRun(run, { ...run, machine: { ...run.machine, memoryBytes: 2 } });
});

for (const [what, other] of [
  ["commit", { commit: "5d6e7f8" }],
  ["seconds", { options: { rounds: 3, seconds: 2 } }],
  ["processor", { machine: { ...run.machine, cpu: "Another" } }],
  ["version of grpc-js", { versions: { node: "24.21.0", "grpc-js": "1.15.0" } }],
  ["version of grpc-go", { versions: { ...run.versions, "grpc-go": "1.85.0" } }],
] as const) {
  test(`refuses a part of a run with another ${what}`, () => {
    assert.throws(
      () => requireSameRun(run, { ...run, ...other }),
      (error) => error instanceof UsageError && error.message.includes(`its ${what} is`),
    );
  });
}
