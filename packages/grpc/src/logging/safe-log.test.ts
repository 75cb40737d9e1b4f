import assert from "node:assert/strict";
import { test } from "node:test";
import { setImmediate as immediate } from "node:timers/promises";
import { hostileValues } from "@tercel/test-support/hostile-values";
import { type Log, stderrLog } from "./log.ts";
import { safeLog } from "./safe-log.ts";

const levels = ["debug", "info", "warn", "error"] as const;

function logThat(write: () => unknown): Log {
  return { debug: write, info: write, warn: write, error: write };
}

test("hands each line on as it is, to the log's own methods", () => {
  const lines: unknown[] = [];
  class OwnLog {
    readonly #lines = lines;
    debug(...line: unknown[]): void {
      this.#lines.push(["debug", ...line]);
    }
    info(...line: unknown[]): void {
      this.#lines.push(["info", ...line]);
    }
    warn(...line: unknown[]): void {
      this.#lines.push(["warn", ...line]);
    }
    error(...line: unknown[]): void {
      this.#lines.push(["error", ...line]);
    }
  }
  const log = safeLog(new OwnLog());
  const fields = { a: 1 };
  for (const level of levels) log[level]("text", fields);
  assert.deepEqual(
    lines,
    levels.map((level) => [level, "text", fields]),
  );
});

test("is the default log without one, and the same for the same log", () => {
  assert.equal(safeLog(undefined), stderrLog);
  const log = logThat(() => {});
  assert.equal(safeLog(log), safeLog(log));
  assert.equal(safeLog(safeLog(log)), safeLog(log));
});

test("loses the line of a log that throws or rejects, and warns once for each log", async (t) => {
  const warnings: unknown[] = [];
  t.mock.method(process, "emitWarning", (...given: unknown[]) => warnings.push(given));
  const makers = Object.values(hostileValues);
  for (const make of makers) {
    const throwing = safeLog(
      logThat(() => {
        throw make();
      }),
    );
    const rejecting = safeLog(logThat(() => Promise.reject(make())));
    for (const log of [throwing, rejecting]) for (const level of levels) log[level]("text");
  }
  const incomplete = safeLog({} as Log);
  for (const level of levels) incomplete[level]("text");
  await immediate();
  t.mock.restoreAll();
  assert.equal(warnings.length, 2 * makers.length + 1);
});

test("bears whatever a log returns", async (t) => {
  const emitWarning = t.mock.method(process, "emitWarning", () => {});
  for (const make of Object.values(hostileValues)) safeLog(logThat(make)).info("text");
  await immediate();
  for (const { arguments: given } of emitWarning.mock.calls) assert.match(String(given[0]), /^a log failed/);
});
