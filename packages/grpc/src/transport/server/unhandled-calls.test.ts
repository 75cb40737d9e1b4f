import assert from "node:assert/strict";
import { test } from "node:test";
import { Code } from "@connectrpc/connect";
import type { OnUnhandledCall, UnhandledCall } from "../../call/unhandled-call.ts";
import { LinePace } from "../../logging/line-pace.ts";
import type { Log, LogFields } from "../../logging/log.ts";
import { createFakeClock } from "../../time/fake-clock.ts";
import { UnhandledCalls } from "./unhandled-calls.ts";

const unknown = {
  path: "/no.Service/Method",
  peer: "192.0.2.1:4000",
  method: undefined,
  code: Code.Unimplemented,
  reason: "no.Service has no method Method on this server",
  durationMs: 1.5,
};

function setUp(shared = new LinePace(100), listener?: OnUnhandledCall) {
  const clock = createFakeClock();
  const lines: [level: string, message: string, fields: LogFields][] = [];
  const at =
    (level: string): Log["warn"] =>
    (message, fields = {}) => {
      lines.push([level, message, fields]);
    };
  const log: Log = { debug: at("debug"), info: at("info"), warn: at("warn"), error: at("error") };
  return { lines, clock, calls: new UnhandledCalls(log, listener, clock, shared) };
}

test("a call to a method that is not there is a warning with its path, its client and why", () => {
  const { lines, calls } = setUp();
  calls.report(unknown);
  const { path, peer, reason } = unknown;
  assert.deepEqual(lines, [["warn", "a call reached no handler", { path, code: "UNIMPLEMENTED", reason, peer }]]);
});

test("ten lines a second are written, however many methods are tried, and the next says how many were left out", async () => {
  const heard: UnhandledCall[] = [];
  const { lines, clock, calls } = setUp(undefined, (call) => heard.push(call));
  for (let nth = 0; nth < 1000; nth++) calls.report({ ...unknown, path: `/no.Service/Method${nth}` });
  assert.equal(lines.length, 10);
  assert.equal(heard.length, 1000);
  assert.deepEqual(heard[0], { method: undefined, code: Code.Unimplemented, durationMs: 1.5 });
  await clock.advance(1000);
  calls.report(unknown);
  assert.equal(lines[10]?.[2].suppressed, 990);
});

test("a client that went or had no time left is told at level debug, and takes no line from a warning", () => {
  const { lines, calls } = setUp();
  for (const code of [Code.Canceled, Code.DeadlineExceeded]) {
    for (let nth = 0; nth < 10; nth++) calls.report({ ...unknown, code });
  }
  calls.report(unknown);
  assert.deepEqual(
    lines.map(([level]) => level),
    [...Array(10).fill("debug"), "warn"],
  );
});

test("warnings share the lines of the process, and what is left out there counts too", async () => {
  const shared = new LinePace(1);
  const [one, other] = [setUp(shared), setUp(shared)];
  one.calls.report(unknown);
  other.calls.report(unknown);
  other.calls.report({ ...unknown, code: Code.Canceled });
  assert.deepEqual([one.lines.length, other.lines.map(([level]) => level)], [1, ["debug"]]);
  await other.clock.advance(1000);
  other.calls.report(unknown);
  assert.equal(other.lines[1]?.[2].suppressed, 1);
});

test("what the client wrote is cut at 256 characters and escaped, and a query is left out", () => {
  const { lines, calls } = setUp();
  calls.report({ ...unknown, path: "/a\nb?token=secret", reason: "c\u001b[2J", peer: "fe80::1%\n" });
  calls.report({ ...unknown, path: "p".repeat(256) });
  calls.report({ ...unknown, path: "p".repeat(257) });
  const { path, reason, peer } = lines[0]?.[2] ?? {};
  assert.deepEqual([path, reason, peer], ["/a\\u{a}b", "c\\u{1b}[2J", "fe80::1%\\u{a}"]);
  assert.equal(lines[1]?.[2].path, "p".repeat(256));
  assert.equal(lines[2]?.[2].path, `${"p".repeat(255)}…`);
});

test("a listener that throws does not keep the log from its line", () => {
  const { lines, calls } = setUp(undefined, () => {
    throw new Error("full");
  });
  calls.report(unknown);
  assert.equal(lines.length, 1);
});
