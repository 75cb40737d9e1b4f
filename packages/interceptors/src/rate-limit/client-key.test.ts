import assert from "node:assert/strict";
import { test } from "node:test";
import { createContextValues, type UnaryRequest } from "@connectrpc/connect";
import { type CallInfo, callInfo } from "@tercel/grpc";
import { callerKey } from "../call/caller.ts";
import { claimsKey } from "../call/claims.ts";
import { addressKey, boundedKey, clientKey, networkOf } from "./client-key.ts";

test("identifies a caller by its token, or as a workload, or by its address", () => {
  const contextValues = createContextValues();
  const request = { contextValues } as UnaryRequest;
  assert.equal(clientKey(request), "local");
  contextValues.set(callInfo, { peerAddress: "192.0.2.1:7" } as CallInfo);
  assert.equal(clientKey(request), "addr 192.0.2.1");
  contextValues.set(callerKey, { kind: "service-key", name: "orders", names: ["orders"] });
  assert.equal(clientKey(request), "service-key orders");
  contextValues.set(claimsKey, { sub: "7", iss: "i", exp: 1 });
  assert.equal(clientKey(request), "sub i 7");
  assert.equal(addressKey(request), "addr 192.0.2.1");
});

test("uses the whole IPv4 address, and the /64 of an IPv6 address", () => {
  const networks: [string, string][] = [
    ["192.0.2.1:50051", "192.0.2.1"],
    ["[::ffff:192.0.2.1]:50051", "192.0.2.1"],
    ["[2001:db8:0:1:2:3:4:5]:1", "2001:db8:0:1"],
    ["[2001:db8:0:1::9]:1", "2001:db8:0:1"],
    ["[2001:0DB8::9]:1", "2001:db8:0:0"],
    ["[::1]:1", "0:0:0:0"],
    ["[fe80::1%eth0]:1", "fe80:0:0:0"],
  ];
  for (const [address, network] of networks) assert.equal(networkOf(address), network, address);
});

test("keeps keys short and distinct", () => {
  assert.equal(boundedKey("x".repeat(128)), "x".repeat(128));
  const long = boundedKey("x".repeat(129));
  assert.equal(long.length, 44);
  assert.notEqual(long, boundedKey("x".repeat(130)));
});
