import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { createContextValues, type UnaryRequest } from "@connectrpc/connect";
import { type CallInfo, callInfo } from "@tercel/grpc";
import { cameInPrivate, goesInPrivate } from "./private-way.ts";

function requestTo(url: string, info?: Partial<CallInfo>): UnaryRequest {
  const contextValues = createContextValues();
  if (info !== undefined) contextValues.set(callInfo, info as CallInfo);
  return { url, contextValues } as UnaryRequest;
}

describe("a request arrived privately", () => {
  const tls = { certificate: undefined };
  const rows: readonly (readonly [what: string, info: Partial<CallInfo> | undefined, isPrivate: boolean])[] = [
    ["by TLS from anywhere", { peerAddress: "192.0.2.1:9", peerTls: tls }, true],
    ["by a Unix socket or in memory", { peerAddress: undefined }, true],
    ["from this machine", { peerAddress: "127.0.0.1:9" }, true],
    ["from this machine by another of its addresses", { peerAddress: "127.8.9.10:9" }, true],
    ["from this machine by IPv6", { peerAddress: "[::1]:9" }, true],
    ["from this machine by IPv4 in IPv6", { peerAddress: "[::ffff:127.0.0.1]:9" }, true],
    ["from elsewhere", { peerAddress: "192.0.2.1:9" }, false],
    ["from elsewhere by IPv6", { peerAddress: "[2001:db8::1]:9" }, false],
    ["from elsewhere by IPv4 in IPv6", { peerAddress: "[::ffff:192.0.2.1]:9" }, false],
    ["from what only ends like this machine", { peerAddress: "[2001:db8::127.0.0.1]:9" }, false],
    ["on a server that does not tell", undefined, false],
  ];
  for (const [what, info, isPrivate] of rows) {
    it(`${isPrivate ? "" : "not "}${what}`, () => {
      // The scheme that the client sends does not count.
      assert.equal(cameInPrivate(requestTo("https://localhost/s/m", info)), isPrivate);
    });
  }
});

describe("a request will be sent privately", () => {
  const rows: readonly (readonly [url: string, isPrivate: boolean])[] = [
    ["https://orders.example/s/m", true],
    ["http://localhost/s/m", true],
    ["http://localhost:50051/s/m", true],
    ["http://orders.localhost:50051/s/m", true],
    ["http://127.0.0.1:50051/s/m", true],
    ["http://[::1]:50051/s/m", true],
    ["http://[::1]/s/m", true],
    ["http://orders:50051/s/m", false],
    ["http://192.0.2.1:50051/s/m", false],
    ["http://127.0.0.1.example:50051/s/m", false],
    ["http://localhost.example/s/m", false],
    ["http://notlocalhost/s/m", false],
    ["http://[2001:db8::1]:50051/s/m", false],
  ];
  for (const [url, isPrivate] of rows) {
    it(`${isPrivate ? "" : "not "}to ${url}`, () => assert.equal(goesInPrivate(requestTo(url)), isPrivate));
  }
});
