import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it } from "node:test";

/** One test for each way in which an error can come to light after its test has waited for something. */
const failingTests = `
  import { once } from "node:events";
  import { connect, createServer } from "node:net";
  import { after, afterEach, before, beforeEach, describe, it } from "node:test";
  const turn = () => new Promise((resolve) => setImmediate(resolve));
  const pause = () => new Promise((resolve) => setTimeout(resolve, 20));

  describe("a suite", () => {
    before(turn);
    beforeEach(turn);
    afterEach(turn);
    after(turn);
    it("thrown", async () => {
      await turn();
      throw new Error("thrown");
    });
    it("rejected by a promise that nothing waits for", async () => {
      await turn();
      Promise.reject(new Error("not awaited"));
      await pause();
    });
    it("thrown by a function that nothing waits for", async () => {
      await turn();
      (async () => {
        for (let i = 0; i < 3; i++) await turn();
        throw new Error("deep");
      })();
      await pause();
    });
    it("thrown in a timer", async () => {
      await turn();
      setTimeout(() => { throw new Error("timer"); }, 1);
      await pause();
    });
    it("thrown in a microtask and a tick", async () => {
      await turn();
      queueMicrotask(() => process.nextTick(() => { throw new Error("tick"); }));
      await pause();
    });
    it("thrown by a server's socket", async () => {
      await turn();
      const server = createServer(() => { throw new Error("socket"); }).listen(0, "127.0.0.1");
      await once(server, "listening");
      const socket = connect(server.address().port, "127.0.0.1").resume().on("error", () => {});
      await pause();
      socket.destroy();
      server.close();
    });
    it("passes between them", turn);
    it("in a test of a test", async (test) => {
      await turn();
      await test.test("passes within", turn);
      await test.test("inner", async () => {
        await turn();
        Promise.reject(new Error("inner"));
        await pause();
      });
    });
    describe("of an inner suite", () => {
      it("thrown late", async () => {
        await turn();
        setImmediate(() => { throw new Error("late"); });
        await pause();
      });
    });
  });
  it("declares another test from within", async () => {
    await turn();
    await it("which fails", async () => {
      await turn();
      throw new Error("within");
    });
  });
`;

describe("a test file whose tests are tracked without a hook", () => {
  it("reports each error as Node does with its hook, at the test that it belongs to", () => {
    const folder = mkdtempSync(join(tmpdir(), "tercel-track-tests-"));
    try {
      const file = join(folder, "failing.test.mjs");
      writeFileSync(file, failingTests);
      const withHook = reportOf(file);
      assert.equal(withHook.filter((line) => /^ *not ok .* - /.test(line)).length, 13, withHook.join("\n"));
      assert.deepEqual(reportOf(file, "--import", join(import.meta.dirname, "track-tests.ts")), withHook);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it("costs no hook that follows every promise", () => {
    const folder = mkdtempSync(join(tmpdir(), "tercel-track-tests-"));
    try {
      const file = join(folder, "promises.test.mjs");
      // Promises get identifiers of their own as soon as one hook follows them.
      writeFileSync(
        file,
        `
          import assert from "node:assert/strict";
          import { executionAsyncId } from "node:async_hooks";
          import { it } from "node:test";
          it("waits", async () => {
            const identifiers = new Set();
            for (let i = 0; i < 10; i++) {
              await null;
              identifiers.add(executionAsyncId());
            }
            assert.equal(identifiers.size, 1);
          });
        `,
      );
      const report = reportOf(file, "--import", join(import.meta.dirname, "track-tests.ts"));
      assert.ok(report.includes("ok 1 - waits"), report.join("\n"));
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

/** What Node's runner reports, without what differs from run to run. */
function reportOf(file: string, ...options: readonly string[]): string[] {
  // A runner that finds this variable thinks that it is one of the files of the run around it.
  const { NODE_TEST_CONTEXT: _, ...env } = process.env;
  const { stdout } = spawnSync(process.execPath, ["--test-reporter=tap", ...options, file], { encoding: "utf8", env });
  return stdout.split("\n").filter((line) => !line.includes("duration_ms"));
}
