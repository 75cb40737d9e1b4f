import assert from "node:assert/strict";
import { test } from "node:test";
import { Code, decodeBinaryHeader } from "@connectrpc/connect";
import {
  appendMetadata,
  appendTrailerMetadata,
  findMetadata,
  findMetadataError,
  metadataToHeaders,
} from "./metadata.ts";

test("appends each form of metadata with lower-case names and stripped values", () => {
  for (const metadata of [
    new Headers([["X-One", " 1 "]]),
    [["X-One", "\t1 "]] as [string, string][],
    { "X-One": " 1 " },
  ]) {
    const fields = ["te", "trailers"];
    assert.equal(appendMetadata(fields, metadata), undefined);
    assert.deepEqual(fields, ["te", "trailers", "x-one", "1"]);
  }
});

test("keeps repeated names in order", () => {
  const fields: string[] = [];
  appendMetadata(fields, [
    ["x", "2"],
    ["y", ""],
    ["x", "1"],
  ]);
  assert.deepEqual(fields, ["x", "2", "y", "", "x", "1"]);
});

test("drops and reports reserved names", () => {
  const dropped: string[] = [];
  const fields: string[] = [];
  const metadata = {
    "Content-Type": "text/plain",
    "grpc-status": "0",
    TE: "gzip",
    ":path": "/",
    "x-kept": "1",
    Host: "h",
  };
  assert.equal(
    appendMetadata(fields, metadata, (name, reason) => dropped.push(`${name} ${reason}`)),
    undefined,
  );
  assert.deepEqual(fields, ["x-kept", "1"]);
  assert.deepEqual(
    dropped,
    ["content-type", "grpc-status", "te", ":path", "host"].map((name) => `${name} reserved`),
  );
});

test("refuses names and values that gRPC cannot carry, and takes back what it appended", () => {
  for (const [name, value] of [
    ["x", "line\r\nbreak"],
    ["x", "nul\0"],
    ["x", "caf\u00e9"],
    ["x", "tab\tinside"],
    ["x-bin", "not base64!"],
    ["x y", "1"],
    ["", "1"],
    ["x!", "1"],
  ] as [string, string][]) {
    const fields = ["te", "trailers"];
    const error = appendMetadata(fields, [
      ["a", "1"],
      [name, value],
      ["b", "2"],
    ]);
    assert.equal(error?.code, Code.Internal, JSON.stringify([name, value]));
    assert.deepEqual(fields, ["te", "trailers"]);
  }
});

test("does not repeat a refused value in the error", () => {
  const error = appendMetadata([], { authorization: "Bearer secret\u0001" });
  assert.match(error?.rawMessage ?? "", /authorization/);
  assert.ok(!error?.rawMessage.includes("secret"));
});

test("leaves illegal metadata out of trailers and reports it", () => {
  const dropped: string[] = [];
  const fields: string[] = [];
  appendTrailerMetadata(fields, { a: "1", b: "\u0001", te: "x", c: "3" }, (name, reason) =>
    dropped.push(`${name} ${reason}`),
  );
  assert.deepEqual(fields, ["a", "1", "c", "3"]);
  assert.deepEqual(dropped, ["b illegal", "te reserved"]);
});

test("finds a binary value that is no base64", () => {
  assert.equal(findMetadataError(["a", "!!", "b-bin", "YQ", "b-bin", "YQ==,YWI"]), undefined);
  const error = findMetadataError(["a", "1", "b-bin", "ab-_"]);
  assert.equal(error?.code, Code.Internal);
  assert.match(error?.rawMessage ?? "", /b-bin/);
});

test("shows the application every value but those that carry the call", () => {
  const headers = metadataToHeaders([
    ":method",
    "POST",
    ":path",
    "/S/M",
    "te",
    "trailers",
    "grpc-timeout",
    "1S",
    "grpc-encoding",
    "gzip",
    "content-type",
    "application/grpc",
    "user-agent",
    "u",
    "x",
    "1",
    "x",
    "2",
    "raw-bin",
    "YWJj",
  ]);
  assert.deepEqual(
    [...headers],
    [
      ["content-type", "application/grpc"],
      ["raw-bin", "YWJj"],
      ["user-agent", "u"],
      ["x", "1, 2"],
    ],
  );
  assert.deepEqual(decodeBinaryHeader(headers.get("raw-bin") ?? ""), new TextEncoder().encode("abc"));
});

test("never shows a value that may not be sent on", () => {
  const received = ["a", "\u00ff", "b", "tab\there", "c-bin", "!", "d", "\0", "e e", "1", "__proto__", "p", "ok", "1"];
  const headers = metadataToHeaders(received);
  assert.deepEqual(
    [...headers],
    [
      ["__proto__", "p"],
      ["ok", "1"],
    ],
  );
  assert.equal(appendMetadata([], headers), undefined);
});

test("joins cookie crumbs as HTTP does", () => {
  assert.equal(metadataToHeaders(["cookie", "a=1", "cookie", "b=2"]).get("cookie"), "a=1; b=2");
});

test("one name is found as Headers would show it", () => {
  const fields = [
    "a",
    "1",
    "te",
    "trailers",
    "b",
    "é",
    "a",
    " 2 ",
    "c-bin",
    "AAEC",
    "d-bin",
    "no!",
    "grpc-timeout",
    "1S",
  ];
  fields.push("e", "");
  const headers = metadataToHeaders(fields);
  for (const name of ["a", "b", "c-bin", "d-bin", "te", "grpc-timeout", "e", "absent"]) {
    assert.equal(findMetadata(fields, name), headers.get(name), name);
  }
  assert.equal(findMetadata(fields, "a"), "1, 2");
});
