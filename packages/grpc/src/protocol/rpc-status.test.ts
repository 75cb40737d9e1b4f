import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Code } from "@connectrpc/connect";
import { appendRpcStatus, readRpcStatus } from "./rpc-status.ts";
import { errorOfStatus, hasExactStatus, readStatusAsError, statusOfError } from "./trailers.ts";

describe("a status below typed errors", () => {
  it("keeps number, text and fields as they came", () => {
    const trailers = [
      "grpc-status",
      "100",
      "grpc-message",
      "gr%C3%B6%C3%9Fer",
      "x-a",
      "1",
      "x-a",
      "2",
      "x-b-bin",
      "AAE=",
    ];
    const status = readRpcStatus(trailers);
    assert.deepEqual(status, { code: 100, message: "größer", fields: ["x-a", "1", "x-a", "2", "x-b-bin", "AAE="] });
    const written: string[] = [];
    appendRpcStatus(written, status ?? assert.fail());
    assert.deepEqual(written, trailers);
  });

  it("takes a code of nine digits, and Unknown for ten or for anything but digits", () => {
    const codeOf = (text: string) => readRpcStatus(["grpc-status", text])?.code;
    assert.equal(codeOf("999999999"), 999_999_999);
    for (const text of ["1000000000", "-1", "1.5", "0x1", "", " 1"]) assert.equal(codeOf(text), Code.Unknown, text);
  });

  it("writes Unknown for a number that is no code", () => {
    for (const code of [-1, 1.5, Number.NaN, 1e9]) {
      const fields: string[] = [];
      appendRpcStatus(fields, { code, message: "", fields: [] });
      assert.deepEqual(fields, ["grpc-status", "2"], String(code));
    }
  });

  it("is undefined where trailers have none, or two that differ", () => {
    assert.equal(readRpcStatus(["x-a", "1"]), undefined);
    assert.equal(readRpcStatus(["grpc-status", "1", "grpc-status", "2"]), undefined);
    assert.equal(readRpcStatus(["grpc-status", "1", "grpc-status", "1"])?.code, 1);
  });

  it("leaves out what gRPC writes itself or cannot carry, and reports it", () => {
    const dropped: string[] = [];
    const fields: string[] = [];
    const status = {
      code: 3,
      message: "",
      fields: ["grpc-timeout", "1S", "x a", "1", "x-ok", "1", "grpc-status-details-bin", "no base64!"],
    };
    appendRpcStatus(fields, status, (name, reason) => dropped.push(`${name} ${reason}`));
    assert.deepEqual(fields, ["grpc-status", "3", "x-ok", "1"]);
    assert.deepEqual(dropped, ["grpc-timeout reserved", "x a illegal", "grpc-status-details-bin illegal"]);
  });
});

describe("an error of a status", () => {
  it("has the code where gRPC knows it, and gives the status back", () => {
    for (const [code, shown] of [
      [Code.NotFound, Code.NotFound],
      [17, Code.Unknown],
    ] as const) {
      const status = { code, message: "gone", fields: ["x-a", "1"] };
      const error = errorOfStatus(status);
      assert.deepEqual([error.code, error.rawMessage, error.metadata.get("x-a")], [shown, "gone", "1"]);
      assert.equal(statusOfError(error), status);
      assert.ok(hasExactStatus(error));
    }
  });

  it("is refused for OK", () => {
    assert.throws(() => errorOfStatus({ code: 0, message: "", fields: [] }), /a status of OK is not an error/);
  });

  it("is made of trailers by the same rules", () => {
    assert.equal(readStatusAsError(["grpc-status", "0", "x-a", "1"]), undefined);
    const missing = readStatusAsError(["x-a", "1"]);
    assert.deepEqual([missing?.code, missing?.rawMessage], [Code.Internal, "protocol error: missing grpc-status"]);
    const error = readStatusAsError(["grpc-status", "77", "grpc-message", "m"]) ?? assert.fail();
    assert.deepEqual(statusOfError(error), { code: 77, message: "m", fields: [] });
  });
});
