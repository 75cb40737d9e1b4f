import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { parseHeaderBlock } from "./header-block.ts";

type Field = readonly [name: string, value: string];

const read = (version: "1.0" | "1.1", fields: readonly Field[]) =>
  parseHeaderBlock(`${fields.map(([name, value]) => `${name}: ${value}\r\n`).join("")}\r\n`, version);
const statusOf = (version: "1.0" | "1.1", fields: readonly Field[]) => {
  const block = read(version, fields);
  return "problem" in block ? block.status : undefined;
};
const host: Field = ["Host", "a"];

describe("the header fields of a request", () => {
  it("are valid with one host and one length or transfer coding", () => {
    assert.equal(statusOf("1.1", [host, ["Content-Length", "3"]]), undefined);
    assert.equal(statusOf("1.1", [host, ["Transfer-Encoding", "Chunked"]]), undefined);
    assert.equal(statusOf("1.0", []), undefined);
  });

  for (const [title, version, fields] of [
    ["no host", "1.1", []],
    ["two hosts", "1.1", [host, ["host", "a"]]],
    ["a host that is not one", "1.1", [["host", "a/b"]]],
    ["two lengths that agree", "1.1", [host, ["Content-Length", "3"], ["content-length", "3"]]],
    ["a length with a sign", "1.1", [host, ["content-length", "+3"]]],
    ["a length that is a list", "1.1", [host, ["content-length", "3, 3"]]],
    ["a length that is empty", "1.1", [host, ["content-length", ""]]],
    ["a length beyond what can be counted", "1.1", [host, ["content-length", "1000000000000000"]]],
    ["a length and a coding", "1.1", [host, ["Content-Length", "3"], ["Transfer-Encoding", "chunked"]]],
    ["a tab after a coding", "1.1", [host, ["Transfer-Encoding", "chunked\t"]]],
    ["two codings", "1.1", [host, ["Transfer-Encoding", "chunked"], ["Transfer-Encoding", "chunked"]]],
    ["a coding before chunked", "1.1", [host, ["Transfer-Encoding", "gzip, chunked"]]],
    ["a coding in HTTP/1.0", "1.0", [["Transfer-Encoding", "chunked"]]],
    ["a blank before the colon", "1.1", [host, ["a ", "1"]]],
    ["a name that is empty", "1.1", [host, ["", "1"]]],
    ["a line that continues the one before", "1.1", [host, ["a", "1\r\n 2"]]],
    ["a line end without CR", "1.1", [host, ["a", "1\nb: 2"]]],
    ["a CR in a value", "1.1", [host, ["a", "1\rb: 2"]]],
    ["a null character", "1.1", [host, ["a", "\0"]]],
  ] as const) {
    it(`are refused with ${title}`, () => {
      assert.equal(statusOf(version, fields), 400);
    });
  }

  it("are refused with an unknown expectation", () => {
    assert.equal(statusOf("1.1", [host, ["expect", "200-ok"]]), 417);
  });

  it("are limited to 100", () => {
    const others = (count: number) => Array.from({ length: count }, (_, at): Field => [`x${at}`, "1"]);
    assert.equal(statusOf("1.1", [host, ...others(99)]), undefined);
    assert.equal(statusOf("1.1", [host, ...others(100)]), 431);
  });

  it("have lower-case names and trimmed values", () => {
    assert.deepEqual(
      read("1.1", [
        ["HOST", " a:80\t"],
        ["X-A", "\xe9 b "],
      ]),
      {
        fields: ["host", "a:80", "x-a", "\xe9 b"],
        authority: "a:80",
        isChunked: false,
        contentLength: 0,
        asksToClose: false,
        asksToKeepAlive: false,
        awaitsContinue: false,
        isForWebSocket: false,
      },
    );
  });

  it("keep or close the connection, in one field or several", () => {
    const block = read("1.1", [host, ["Connection", "Upgrade"], ["connection", "x, close"], ["Upgrade", "WebSocket"]]);
    assert.ok(!("problem" in block) && block.asksToClose && block.isForWebSocket && !block.asksToKeepAlive);
    const withoutOption = read("1.1", [host, ["upgrade", "websocket"]]);
    assert.ok(!("problem" in withoutOption) && !withoutOption.isForWebSocket);
  });

  it("have no authority if the host is empty", () => {
    const block = read("1.1", [["host", ""]]);
    assert.ok(!("problem" in block) && block.authority === undefined);
  });
});
