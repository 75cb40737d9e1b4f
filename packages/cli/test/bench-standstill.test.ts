// Long: it measures a server for ten seconds, as fast as it answers.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { startLibrary } from "./library-server.ts";
import { runCli } from "./run-cli.ts";

const get = ["bench", "LibraryService/GetBook", "-d", "id=7", "--warmup", "0"];

describe("tercel bench", () => {
  it("shows in p99 that the server stood still for two seconds, which a closed loop hides", async (t) => {
    const standstillMs = 2000;
    let stoodStillAtMs = Number.POSITIVE_INFINITY;
    let calls = 0;
    /** From its third call on. */
    const standStill = async (): Promise<void> => {
      if (++calls === 3) stoodStillAtMs = performance.now();
      const leftMs = stoodStillAtMs + standstillMs - performance.now();
      if (leftMs > 0 && leftMs <= standstillMs) await new Promise((resolve) => setTimeout(resolve, leftMs));
    };
    const { target } = await startLibrary(t, { onGetBook: standStill });
    const common = ["--target", target, "--duration", "5s", "-o", "json"];
    const open = JSON.parse((await runCli([...get, ...common, "--rate", "200"])).stdout);
    [calls, stoodStillAtMs] = [0, Number.POSITIVE_INFINITY];
    const closed = JSON.parse((await runCli([...get, ...common, "--concurrency", "1"])).stdout);
    const figures = ({ latencyMs: { p50, p99, max } }: typeof open): string =>
      [p50, p99, max].map((ms: number) => `${ms.toFixed(1)} ms`).join(", ");
    t.diagnostic(`p50, p99 and maximum: open loop ${figures(open)}; closed loop ${figures(closed)}`);
    // Two fifths of the calls are due while the server stands still: the hundredth part of all waits for nearly all of it.
    assert.equal(open.calls, 1000);
    assert.ok(open.latencyMs.p99 > 0.9 * standstillMs, `open loop: ${figures(open)}`);
    assert.ok(open.latencyMs.p50 < standstillMs / 2, `open loop: ${figures(open)}`);
    // The closed loop sends one call in that time, of hundreds.
    assert.ok(closed.latencyMs.max > 0.9 * standstillMs, `closed loop: ${figures(closed)}`);
    assert.ok(closed.latencyMs.p99 < standstillMs / 10, `closed loop: ${figures(closed)} of ${closed.calls} calls`);
  });
});
