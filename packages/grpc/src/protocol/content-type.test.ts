import assert from "node:assert/strict";
import { test } from "node:test";
import { formatContentType, parseContentType } from "./content-type.ts";

test("reads proto and json in any case and with parameters", () => {
  for (const text of [
    "application/grpc",
    "application/grpc+proto",
    "Application/GRPC",
    "APPLICATION/GRPC+PROTO",
    "application/grpc; charset=utf-8",
    "application/grpc+proto;x=y;z",
    " application/grpc ; ",
    "application/grpc;",
  ]) {
    assert.equal(parseContentType(text), "proto", text);
  }
  for (const text of ["application/grpc+json", "application/grpc+JSON", "application/grpc+json; charset=utf-8"]) {
    assert.equal(parseContentType(text), "json", text);
  }
});

test("does not take anything else for gRPC", () => {
  for (const text of [
    "",
    "application/json",
    "application/grpc-web",
    "application/grpc-web+proto",
    "application/grpc+thrift",
    "application/grpc+",
    "application/grpcx",
    "application/grpc+proto+json",
    "text/application/grpc",
    "application/grpc charset",
    ";application/grpc",
    `application/grpc${" ".repeat(50)}x`,
    "a".repeat(100_000),
  ]) {
    assert.equal(parseContentType(text), undefined, text.slice(0, 60));
  }
});

test("reads what it writes", () => {
  assert.equal(parseContentType(formatContentType("proto")), "proto");
  assert.equal(parseContentType(formatContentType("json")), "json");
});
