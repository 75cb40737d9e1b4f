import assert from "node:assert/strict";
import { test } from "node:test";
import { Code } from "@connectrpc/connect";
import { formatMethodPath, parseMethodPath } from "./method-path.ts";

test("takes a path apart into service and method", () => {
  assert.deepEqual(parseMethodPath("/grpc.health.v1.Health/Check"), {
    service: "grpc.health.v1.Health",
    method: "Check",
  });
  assert.deepEqual(parseMethodPath("/S/M"), { service: "S", method: "M" });
  assert.equal(formatMethodPath("grpc.health.v1.Health", "Check"), "/grpc.health.v1.Health/Check");
});

test("refuses every other shape as Unimplemented", () => {
  for (const path of [
    "",
    "/",
    "//",
    "///",
    "S/M",
    "//S/M",
    "/S/M/",
    "/S//M",
    "/S/M/N",
    "/S",
    "/S/",
    "//M",
    "/S/M?x",
    "/S/M#x",
    "/S?/M",
    "%2e",
    "/%2e/M",
    "/S/%2e",
    "/S/M%",
    "/./M",
    "/../M",
    "/S/..",
    "/a..b/M",
    "/.a/M",
    "/a./M",
    "/S/.M",
    "/S /M",
    "/S/M ",
    " /S/M",
    "/S/M\n",
    "/S\0/M",
    "\\S\\M",
    "*",
    "http://h/S/M",
    "/Ü/M",
  ]) {
    const result = parseMethodPath(path);
    assert.ok("error" in result, path);
    assert.equal(result.error.code, Code.Unimplemented);
  }
});

test("accepts a path of 1024 bytes and refuses one more", () => {
  assert.ok("service" in parseMethodPath(`/S/${"m".repeat(1021)}`));
  const tooLong = parseMethodPath(`/S/${"m".repeat(1022)}`);
  assert.ok("error" in tooLong);
  assert.ok(tooLong.error.message.length < 250);
});
