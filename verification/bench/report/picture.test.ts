import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { PEERS } from "../subjects.ts";
import type { BenchDocument, PeerFigures } from "./document.ts";
import { renderPicture } from "./picture.ts";

const figures = (ratioCpu: number): PeerFigures => ({ value: 1, rounds: [1], ratio: 1, ratioCpu });
const documentOf = (peers: Record<string, PeerFigures>): BenchDocument => ({
  cases: [
    { name: "server/<a>", unit: "calls/s", better: "higher", tercel: 1, rounds: [1], peers, failures: {} },
    { name: "server/alone", unit: "calls/s", better: "higher", tercel: 1, rounds: [1], peers: {}, failures: {} },
  ],
  skippedCases: [],
  skippedPeers: [],
  notes: [],
  commit: "1a2b3c4",
  date: "2026-12-01",
  options: { rounds: 1, seconds: 3 },
  versions: { node: "24", ...Object.fromEntries(Object.keys(peers).map((name) => [name, "1"])) },
  machine: { cpu: "A CPU", cores: 2, memoryBytes: 1, kernel: "6.1" },
});
const discs = (svg: string): { title: string; x: number; y: number }[] =>
  [...svg.matchAll(/<g><title>([^<]*)<\/title><circle class="disc" cx="(\d+)" cy="(-?[\d.]+)"/g)].map(
    ([, title = "", x, y]) => ({ title, x: Number(x), y: Number(y) }),
  );

describe("the picture of ratios", () => {
  it("has a disc for each peer, further right for a better ratio, and the line of 1 between loss and gain", () => {
    const svg = renderPicture(documentOf({ tonic: figures(0.5), "grpc-go": figures(4) }));
    const [loss, gain] = discs(svg);
    const one = Number(/<line class="one" x1="(\d+)"/.exec(svg)?.[1]);
    assert.equal(loss?.title, "tonic: 0.500");
    assert.ok((loss?.x ?? 0) < one && one < (gain?.x ?? 0));
  });

  it("leaves out a case without peers, and escapes names", () => {
    const svg = renderPicture(documentOf({ tonic: figures(2) }));
    assert.ok(svg.includes(">server/&lt;a&gt;</text>"));
    assert.ok(!svg.includes("server/alone"));
  });

  it("keeps discs of equal ratios apart, and those beyond the scale at its ends", () => {
    const [low, ...equal] = discs(
      renderPicture(documentOf({ a: figures(0.01), b: figures(2), c: figures(2), d: figures(2) })),
    );
    assert.equal(new Set(equal.map(({ y }) => y)).size, 3);
    assert.equal(low?.x, discs(renderPicture(documentOf({ a: figures(0.25) })))[0]?.x);
    const [high] = discs(renderPicture(documentOf({ a: figures(1000) })));
    assert.equal(high?.x, discs(renderPicture(documentOf({ a: figures(128) })))[0]?.x);
  });

  it("follows the reader's scheme, and knows how every peer is drawn", () => {
    const svg = renderPicture(documentOf(Object.fromEntries(PEERS.map(({ name }) => [name, figures(2)]))));
    assert.ok(svg.includes("prefers-color-scheme: dark"));
    assert.ok(!svg.includes(">?</text>"));
  });
});
