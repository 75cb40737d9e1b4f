import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { isAble } from "./able.ts";
import { BENCH_CASES } from "./cases.ts";
import { PEERS, type Subject, TERCEL } from "./subjects.ts";

const subject = (name: string): Subject => PEERS.find((one) => one.name === name) ?? assert.fail(name);
const casesOf = (one: Subject): string[] =>
  BENCH_CASES.filter((benchCase) => isAble(one, benchCase)).map(({ name }) => name);

describe("which subjects a case measures", () => {
  it("Tercel in every case", () => {
    assert.equal(casesOf(TERCEL).length, BENCH_CASES.length);
  });

  it("the canned responder only in cases whose calls it can respond to", () => {
    assert.deepEqual(casesOf(subject("canned")), [
      "server/unary/10x10",
      "server/unary/50x1",
      "server/unary/1x1",
      "server/unary/1x100",
      "latency/2000",
      "latency/10000",
    ]);
  });

  it("a server without a client in no case for clients", () => {
    const names = casesOf(subject("hyper"));
    assert.deepEqual(
      names.filter((name) => name.includes("client/") || name.startsWith("pair/")),
      [],
    );
    assert.ok(names.includes("server/stream"));
  });

  it("subjects with TLS over TLS, and every peer in the case of the first ratios", () => {
    for (const peer of PEERS) {
      assert.equal(casesOf(peer).includes("tls/server/unary/10x10"), peer.speaksTls === true, peer.name);
      assert.ok(casesOf(peer).includes("server/unary/10x10"), peer.name);
    }
  });

  it("excludes only subjects that exist", () => {
    const names = PEERS.map(({ name }) => name);
    for (const { name, without = [] } of BENCH_CASES) {
      assert.deepEqual(
        without.filter((one) => !names.includes(one)),
        [],
        name,
      );
    }
  });
});
