import assert from "node:assert/strict";
import { test } from "node:test";
import { isBinaryName, isHiddenName, isMetadataName, isReservedName } from "./metadata-field.ts";

test("accepts digits, lower-case letters, underscore, hyphen and dot in a name", () => {
  assert.ok(isMetadataName("abcdefghijklmnopqrstuvwxyz0123456789_-."));
  for (const name of ["", "A", "x y", "x:y", "x\r", "x\0", "ü", "a/b", "a,b", "a=b", ":path"]) {
    assert.ok(!isMetadataName(name), name);
  }
});

test("accepts a name of 1024 bytes and refuses one more", () => {
  assert.ok(isMetadataName("a".repeat(1024)));
  assert.ok(!isMetadataName("a".repeat(1025)));
});

test("reserves what gRPC and HTTP/2 write themselves", () => {
  const ofHttp = ":path :anything te content-type content-length user-agent host";
  const ofConnections = "connection keep-alive proxy-connection transfer-encoding upgrade";
  const ofGrpc = "grpc-status grpc-message grpc-timeout grpc-encoding grpc-future";
  for (const name of `${ofHttp} ${ofConnections} ${ofGrpc}`.split(" ")) assert.ok(isReservedName(name), name);
});

test("lets applications use ordinary names and the gRPC names meant for them", () => {
  for (const name of "authorization x-user cookie grpcish constructor grpc-retry-pushback-ms grpc-trace-bin".split(
    " ",
  )) {
    assert.ok(!isReservedName(name), name);
  }
});

test("hides what carries the call and shows the rest", () => {
  const hidden =
    ":status te grpc-status grpc-message grpc-status-details-bin grpc-encoding grpc-accept-encoding grpc-timeout";
  for (const name of hidden.split(" ")) {
    assert.ok(isHiddenName(name), name);
  }
  for (const name of "content-type user-agent grpc-retry-pushback-ms x".split(" "))
    assert.ok(!isHiddenName(name), name);
});

test("tells binary names by their end", () => {
  assert.ok(isBinaryName("trace-bin"));
  assert.ok(!isBinaryName("bin"));
  assert.ok(!isBinaryName("x-bin-y"));
});
