import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { lastLineOf } from "../process/client-process.ts";
import { LOAD_CORE } from "../process/pinned.ts";
import { startServer } from "../process/server-process.ts";
import { TERCEL } from "../subjects.ts";
import type { OpenLoopFigures } from "./figures.ts";

const program = [process.execPath, "--conditions=source", join(import.meta.dirname, "process.ts")];
const run = (target: string): Promise<string> =>
  lastLineOf([...program, target, "500", "2", "0.1", "0.4"], LOAD_CORE, 60_000);

test("makes the calls that are due after the warm-up, and reports their latency", async () => {
  const server = await startServer(TERCEL.server, LOAD_CORE);
  try {
    const { calls, errors, p50Micros, p99Micros } = JSON.parse(
      await run(`127.0.0.1:${server.port}`),
    ) as OpenLoopFigures;
    assert.deepEqual(errors, {});
    // 200 are expected. The arrivals are the same in every run.
    assert.ok(calls > 150 && calls < 250, String(calls));
    assert.ok(0 < p50Micros && p50Micros <= p99Micros);
  } finally {
    await server.stop();
  }
});

test("ends without figures when the server cannot be called", async () => {
  await assert.rejects(run("127.0.0.1:1"), /the client ended with exit code 1: .*ECONNREFUSED/);
});
