import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it } from "node:test";
import { Code, ConnectError } from "@connectrpc/connect";
import { startLibrary } from "./library-server.ts";
import { runCli } from "./run-cli.ts";

const get = ["bench", "LibraryService/GetBook", "-d", "id=7", "--warmup", "0"];

describe("tercel bench", () => {
  it("offers a rate from several workers, and reports what became of every call", async (t) => {
    const { target } = await startLibrary(t);
    const args = [...get, "--target", target, "--rate", "100", "--duration", "500ms", "--workers", "2", "-o", "json"];
    const { exitCode, stdout, stderr } = await runCli(args);
    // On a busy machine the generator itself may be what is measured, and says so.
    assert.ok(exitCode === 0 || /the load generator was too slow/.test(stderr), stderr);
    const result = JSON.parse(stdout);
    assert.deepEqual(
      {
        version: result.version,
        mode: result.mode,
        workers: result.workers,
        connections: result.connections,
        calls: result.calls,
        succeeded: result.succeeded,
        errors: result.errors,
        errorMessages: result.errorMessages,
        offeredRate: result.offeredRate,
      },
      {
        version: 1,
        mode: "open",
        workers: 2,
        connections: 2,
        calls: 50,
        succeeded: 50,
        errors: {},
        errorMessages: {},
        offeredRate: 100,
      },
    );
    // The last call is due 10 ms before the end, and may end after it on a busy machine.
    assert.ok(result.achievedRate <= 100 && result.achievedRate > 10, `${result.achievedRate} calls/s`);
    for (const name of ["latencyMs", "serviceMs", "lagMs"]) {
      const { p50, p90, p99, p999, max } = result[name];
      assert.ok(0 < p50 && p50 <= p90 && p90 <= p99 && p99 <= p999 && p999 <= max * 1.001, name);
    }
  });

  it("does not count as achieved in time what a server does late", async (t) => {
    const { target } = await startLibrary(t, { onGetBook: () => new Promise((resolve) => setTimeout(resolve, 1000)) });
    const args = [...get, "--target", target, "--rate", "100", "--duration", "500ms", "-o", "json"];
    const { calls, succeeded, offeredRate, achievedRate, elapsedMs } = JSON.parse((await runCli(args)).stdout);
    assert.deepEqual([calls, succeeded, offeredRate], [50, 50, 100]);
    assert.ok(elapsedMs >= 1400, `${elapsedMs} ms`);
    assert.equal(achievedRate, 50_000 / elapsedMs);
  });

  it("prints a page that stands alone: figures, a chart, the result as JSON, and nothing from elsewhere", async (t) => {
    const { target } = await startLibrary(t);
    const args = [...get, "--target", target, "--rate", "200", "--duration", "300ms", "-o", "html"];
    const { stdout } = await runCli(args);
    assert.match(stdout, /^<!doctype html>\n[\s\S]*<\/html>\n$/);
    assert.doesNotMatch(stdout, /\bsrc=|https?:|NaN|undefined/);
    assert.match(stdout, /<h1>tercel\.cli\.test\.v1\.LibraryService\/GetBook at 127\.0\.0\.1:\d+<\/h1>/);
    const [, json = ""] = /<script type="application\/json" id="result">(.*)<\/script>/.exec(stdout) ?? [];
    assert.deepEqual([JSON.parse(json).version, JSON.parse(json).calls], [1, 60]);
    for (const name of ["latency", "service"]) {
      const [, points = ""] = new RegExp(`<polyline class="${name}" points="([^"]+)"`).exec(stdout) ?? [];
      const ys = points.split(" ").map((point) => Number(point.split(",")[1]));
      assert.ok(ys.length > 5 && ys.every((y, at) => at === 0 || y <= (ys[at - 1] ?? 0)), points);
    }
  });

  it("measures streams to their end", async (t) => {
    const { target } = await startLibrary(t);
    const args = [
      "bench",
      "LibraryService/AddBooks",
      "-d",
      '{"id":"1"}{"id":"2"}',
      "--target",
      target,
      "--warmup",
      "0",
    ];
    const { stdout } = await runCli([...args, "--concurrency", "2", "--duration", "200ms"]);
    assert.match(stdout, /^closed loop: 2 calls at a time for 200 ms over 1 connection, 1 worker/m);
    assert.match(stdout, /^errors {4}none$/m);
  });

  it("exits with 3 when a gate is missed, and says which", async (t) => {
    let calls = 0;
    const { target } = await startLibrary(t, {
      onGetBook: () => {
        if (calls++ % 2 === 1) throw new ConnectError("every second call", Code.Aborted);
      },
    });
    const args = [...get, "--target", target, "--concurrency", "1", "--duration", "200ms"];
    const failing = await runCli([...args, "--max-error-rate", "0.1", "--max-p99", "10s"]);
    assert.equal(failing.exitCode, 3);
    assert.match(failing.stdout, /^errors {4}ABORTED \d+ \(\d+\.\d\d %\)\n {10}first ABORTED: every second call$/m);
    assert.match(failing.stderr, /^error: \d+\.\d\d % of the calls failed, more than 10\.00 %$/m);
    const slow = await runCli([...args, "--max-p99", "1ms", "-o", "json"]);
    if (slow.exitCode === 3)
      assert.match(JSON.parse(slow.stderr.trim()).error.message, /the 99th percentile is .*, more than 1\.00 ms/);
  });

  it("compares with an earlier result", async (t) => {
    const folder = mkdtempSync(join(tmpdir(), "tercel-bench-"));
    t.after(() => rmSync(folder, { recursive: true, force: true }));
    const { target } = await startLibrary(t);
    const args = [...get, "--target", target, "--concurrency", "1", "--duration", "100ms"];
    const before = await runCli([...args, "-o", "json"]);
    writeFileSync(join(folder, "before.json"), before.stdout);
    const after = await runCli([...args, "--compare", join(folder, "before.json")]);
    assert.match(after.stdout, /^ +before +now +change$/m);
    assert.match(after.stdout, /^latency p99 +\S+ \S+ +\S+ \S+ +[+-]\d/m);
    writeFileSync(join(folder, "other.json"), "{}");
    const refused = await runCli([...args, "--compare", join(folder, "other.json")]);
    assert.deepEqual([refused.exitCode, refused.stderr.includes("not a result of tercel bench")], [2, true]);
  });

  it("writes the distribution that HdrHistogram's plotter reads", async (t) => {
    const { target } = await startLibrary(t);
    const { stdout } = await runCli([
      ...get,
      "--target",
      target,
      "--concurrency",
      "1",
      "--duration",
      "100ms",
      "-o",
      "hgrm",
    ]);
    const lines = stdout.trimEnd().split("\n");
    assert.equal(lines[0], "       Value     Percentile TotalCount 1/(1-Percentile)");
    assert.match(lines[2] ?? "", /^ +\d+\.\d{3} 0\.0{12} +\d+ +1\.00$/);
    assert.match(lines.at(-1) ?? "", /^#\[Max {5}= +\d+\.\d{3}, Total count {4}= +\d+\]$/);
  });

  it("makes one call before it measures, so that what would always fail fails once", async (t) => {
    const { target } = await startLibrary(t);
    const run = await runCli(["bench", "LibraryService/GetBook", "-d", "id=none", "--target", target]);
    assert.equal(run.exitCode, 69);
    assert.match(run.stderr, /^error: NOT_FOUND/);
  });

  it("ends with what it has measured when it is stopped", async (t) => {
    const { Stopped } = await import("../src/frame/stop-signals.ts");
    const controller = new AbortController();
    let calls = 0;
    const { target } = await startLibrary(t, {
      onGetBook: () => {
        if (++calls === 20) controller.abort(new Stopped(130));
      },
    });
    const args = [...get, "--target", target, "--rate", "100", "--duration", "1h"];
    const { exitCode, stdout } = await runCli(args, { signal: controller.signal });
    assert.equal(exitCode, 130);
    assert.match(stdout, /^calls {5}\d+$/m);
  });
});
