import assert from "node:assert/strict";
import { test } from "node:test";
import { Code } from "@connectrpc/connect";
import { codeFromHttpStatus, codeFromStreamError, formatStatusCode, parseStatusCode } from "./status.ts";

test("reads and writes the sixteen codes of errors", () => {
  for (let code = 1; code <= 16; code++) {
    assert.equal(formatStatusCode(code), String(code));
    assert.equal(parseStatusCode(String(code)), code);
  }
});

test("reads 0 as success", () => {
  assert.equal(parseStatusCode("0"), undefined);
});

test("reads everything else as Unknown", () => {
  for (const text of [
    "",
    "17",
    "99",
    "100",
    "-1",
    "00",
    "01",
    "1.0",
    " 1",
    "1 ",
    "ok",
    "1e0",
    "constructor",
    "9".repeat(99),
  ]) {
    assert.equal(parseStatusCode(text), Code.Unknown, text);
  }
});

test("never writes an error as success", () => {
  for (const code of [0, -1, 17, 1.5, Number.NaN]) assert.equal(formatStatusCode(code as Code), "2");
});

test("maps HTTP statuses as gRPC does", () => {
  const expected: [number, Code][] = [
    [400, Code.Internal],
    [401, Code.Unauthenticated],
    [403, Code.PermissionDenied],
    [404, Code.Unimplemented],
    [429, Code.Unavailable],
    [502, Code.Unavailable],
    [503, Code.Unavailable],
    [504, Code.Unavailable],
    [200, Code.Unknown],
    [301, Code.Unknown],
    [408, Code.Unknown],
    [415, Code.Unknown],
    [500, Code.Unknown],
  ];
  for (const [httpStatus, code] of expected) assert.equal(codeFromHttpStatus(httpStatus), code, String(httpStatus));
});

test("maps HTTP/2 error codes as gRPC does", () => {
  const named = new Map([
    [0x7, Code.Unavailable],
    [0x8, Code.Canceled],
    [0xb, Code.ResourceExhausted],
    [0xc, Code.PermissionDenied],
  ]);
  for (let errorCode = 0; errorCode <= 0x10; errorCode++) {
    assert.equal(codeFromStreamError(errorCode), named.get(errorCode) ?? Code.Internal, String(errorCode));
  }
  assert.equal(codeFromStreamError(0xffff_ffff), Code.Internal);
});
