import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Code } from "@connectrpc/connect";
import { printable } from "@tercel/grpc/internal";
import fc from "fast-check";
import { EchoService } from "../../test/gen/tercel/interceptors/test/v1/echo_pb.ts";
import { durationText, MethodLines, textOf, timeText } from "./line-text.ts";

describe("the text of a line", () => {
  it("has durations as JSON numbers, rounded to microseconds", () => {
    for (const [milliseconds, text] of [
      [0, "0"],
      [0.0004, "0"],
      [0.0005, "0.001"],
      [0.1, "0.1"],
      [1.999_6, "2"],
      [12.34, "12.34"],
      [86_400_000.001, "86400000.001"],
    ] as const) {
      assert.equal(durationText(milliseconds), text);
    }
    fc.assert(
      fc.property(fc.double({ min: 0, max: 1e9, noNaN: true }), (milliseconds) => {
        assert.equal(durationText(milliseconds), JSON.stringify(Math.round(milliseconds * 1000) / 1000));
      }),
    );
  });

  it("has untrusted texts as JSON strings, printable and cut", () => {
    const hostile = [
      "",
      "a",
      'quote " and \\',
      "line\nend",
      "\u001b[2J",
      "\u2028",
      "\ud800",
      "ä€",
      "\u202e",
      "x".repeat(129),
    ];
    for (const text of hostile) assert.equal(textOf(text, 128), JSON.stringify(printable(text, 128)));
    fc.assert(
      fc.property(fc.string({ unit: "binary", maxLength: 40 }), (text) => {
        assert.equal(textOf(text, 20), JSON.stringify(printable(text, 20)));
      }),
    );
  });

  it("has the current time in milliseconds", () => {
    for (const ms of [0, 1, 1, 1_700_000_000_123, 0]) assert.equal(timeText(ms), new Date(ms).toISOString());
  });

  it("starts with the fields that depend on method and status", () => {
    const lines = new MethodLines("server", EchoService.method.unary);
    const method = "tercel.interceptors.test.v1.EchoService/Unary";
    for (const status of [0, Code.NotFound, 99, Code.NotFound]) {
      const { status: name, ...rest } = JSON.parse(`{"a":1${lines.start(status)}5}`) as Record<string, unknown>;
      assert.deepEqual(rest, { a: 1, side: "server", method, kind: "unary", durationMs: 5 });
      assert.equal(name, status === 0 ? "OK" : status === 99 ? "UNKNOWN" : "NOT_FOUND");
    }
  });
});
