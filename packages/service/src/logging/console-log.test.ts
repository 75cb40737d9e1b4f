import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { hostileValues } from "@tercel/test-support/hostile-values";
import { type ConsoleLogOptions, createConsoleLog } from "./console-log.ts";

function open(options: Partial<ConsoleLogOptions> = {}) {
  const lines: string[] = [];
  const write = (line: string) => lines.push(line);
  return { lines, log: createConsoleLog({ level: "info", format: "json", service: "users", write, ...options }) };
}

describe("a log on the console", () => {
  it("is one JSON object a line, with the service", () => {
    const { lines, log } = open();
    log.info("listening", { port: 50051 });
    assert.equal(lines.length, 1);
    const { time, ...rest } = JSON.parse(lines[0] ?? "") as Record<string, unknown>;
    assert.match(String(time), /^\d{4}-\d\d-\d\dT/);
    assert.deepEqual(rest, { level: "info", message: "listening", service: "users", port: 50051 });
    assert.ok(lines[0]?.endsWith("}\n"));
  });

  it("is short lines for people where that is asked for, and what has several lines is below", () => {
    const { lines, log } = open({ format: "pretty" });
    log.warn("away", { provider: "database", attempt: 3 });
    log.error("failed", { error: "Error: a\n    at b" });
    assert.match(lines[0] ?? "", /^\d\d:\d\d:\d\d\.\d{3} WARN {2}away provider=database attempt=3\n$/);
    assert.match(lines[1] ?? "", /^\S+ ERROR failed\n {2}error: Error: a\n {6}at b\n$/);
  });

  it("drops what is less important than its level, which may change", () => {
    const { lines, log } = open({ level: "warn" });
    log.info("dropped");
    log.warn("kept");
    log.level = "debug";
    log.debug("kept, too");
    assert.equal(lines.length, 2);
    assert.equal(log.isLevelEnabled?.("debug"), true);
  });

  it("shows a line whatever its fields hold, in both formats", () => {
    for (const format of ["json", "pretty"] as const) {
      const { lines, log } = open({ format });
      const makers = Object.values(hostileValues);
      for (const make of makers) log.error("failed", { error: make(), list: [make()] });
      assert.equal(lines.length, makers.length);
    }
  });
});
