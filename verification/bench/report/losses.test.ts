import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { decidingRatio } from "./deciding-ratio.ts";
import type { CaseResult, PeerFigures } from "./document.ts";
import { findLosses } from "./losses.ts";

const figures = (ratio: number | null, ratioCpu?: number | null): PeerFigures => ({
  value: 1,
  rounds: [1],
  ratio,
  ...(ratioCpu !== undefined && { ratioCpu }),
});
const result = (name: string, better: "higher" | "lower", peers: Record<string, PeerFigures>): CaseResult => ({
  name,
  unit: "calls/s",
  better,
  tercel: 1,
  rounds: [1],
  peers,
  failures: {},
});

describe("the ratio that decides", () => {
  it("is that of CPU time for a rate, of the value for a time or a size", () => {
    assert.equal(decidingRatio({ better: "higher" }, figures(0.9, 1.2)), 1.2);
    assert.equal(decidingRatio({ better: "lower" }, figures(0.9, 1.2)), 0.9);
    assert.equal(decidingRatio({ better: "higher" }, figures(0.9)), 0.9);
  });

  it("is none where Tercel has no figure or too small a one", () => {
    assert.equal(decidingRatio({ better: "higher" }, figures(2, null)), undefined);
    assert.equal(decidingRatio({ better: "lower" }, figures(null)), undefined);
  });
});

describe("where peers are ahead", () => {
  it("is listed with the farthest first, both sides of 1, without what is a limit only", () => {
    const cases = [
      result("server/a", "higher", { tonic: figures(2, 0.999), "grpc-go": figures(0.5, 1), canned: figures(0.3, 0.3) }),
      result("start/b", "lower", { "grpc-js": figures(0.5), "grpc-go": figures(1.001) }),
    ];
    assert.deepEqual(findLosses({ cases }, ["canned"]), [
      { name: "start/b", peer: "grpc-js", ratio: 0.5 },
      { name: "server/a", peer: "tonic", ratio: 0.999 },
    ]);
  });
});
