import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Outcome } from "../measure/interleave.ts";
import { renderStacks, stackFigures } from "./table.ts";

const turns = (...given: [value: number, cpuMicros: number][]): Outcome => ({
  turns: given.map(([value, cpuMicros]) => ({ value, cpuMicros })),
});

describe("the figures of stacks", () => {
  it("compare each round with the same round of the bare server, and use the lower of both shares", () => {
    const figures = stackFigures(
      new Map([
        ["bare", turns([100, 4], [50, 8], [100, 4])],
        ["all", turns([90, 8], [45, 16], [90, 5])],
      ]),
    );
    assert.deepEqual(figures[1], { name: "all", rate: 90, cpuMicros: 8, addedMicros: 4, share: 0.5 });
    assert.equal(figures[0]?.share, 1);
  });

  it("name a failed stack, and say that nothing can be compared without the bare server", () => {
    const failed = stackFigures(
      new Map<string, Outcome>([
        ["bare", turns([100, 4])],
        ["auth", { failure: "it fell" }],
      ]),
    );
    assert.deepEqual(failed[1], { name: "auth", failure: "it fell" });
    assert.match(renderStacks("server/unary/10x10", "call", failed), /auth FAILED: it fell/);
    const bareless = stackFigures(
      new Map<string, Outcome>([
        ["bare", { failure: "no port" }],
        ["auth", turns([1, 1])],
      ]),
    );
    assert.ok(bareless.every(({ failure }) => failure !== undefined));
  });

  it("show the promise at its stack", () => {
    const figures = stackFigures(
      new Map([
        ["bare", turns([100, 4])],
        ["all", turns([70, 5])],
      ]),
    );
    assert.match(renderStacks("server/unary/10x10", "call", figures), /all .* 70 % \(at least 60 % are promised\)/);
    assert.doesNotMatch(renderStacks("server/stream", "message", figures), /promised/);
  });
});
