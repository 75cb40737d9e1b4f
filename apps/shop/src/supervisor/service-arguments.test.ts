import assert from "node:assert/strict";
import { test } from "node:test";
import { readShopArguments } from "./service-arguments.ts";

function argumentsOf(args: readonly string[], service: "user-service" | "order-service"): readonly string[] {
  const request = readShopArguments(args);
  assert.equal(request.kind, "run", JSON.stringify(request));
  return request.argumentsOf(service);
}

function problemOf(args: readonly string[]): string {
  const request = readShopArguments(args);
  assert.equal(request.kind, "refused", JSON.stringify(request));
  return request.problem;
}

test("what names no service is set for every one, in the order in which it was given", () => {
  const args = ["--set", "rate_limit.enabled=false", "--set=logging.calls=false"];
  const expected = ["--set", "rate_limit.enabled=false", "--set", "logging.calls=false"];
  assert.deepEqual(argumentsOf(args, "user-service"), expected);
  assert.deepEqual(argumentsOf(args, "order-service"), expected);
});

test("what names a service is set for that one, without the name", () => {
  const args = ["--set", "user-service.service.port=7001"];
  assert.deepEqual(argumentsOf(args, "user-service"), ["--set", "service.port=7001"]);
  assert.deepEqual(argumentsOf(args, "order-service"), []);
});

test("a value may hold an equals sign, or nothing", () => {
  assert.deepEqual(argumentsOf(["--set=app.a=b=c", "--set=app.b="], "user-service"), [
    "--set",
    "app.a=b=c",
    "--set",
    "app.b=",
  ]);
});

test("what cannot be is refused, saying what to do", () => {
  assert.equal(problemOf(["--set"]), "--set needs KEY=VALUE");
  assert.equal(problemOf(["--set", "service.port"]), "--set service.port: it is KEY=VALUE");
  assert.equal(problemOf(["--sett=a=b"]), 'unknown argument "--sett=a=b"; did you mean --set?');
  assert.equal(problemOf(["--hel"]), 'unknown argument "--hel"; did you mean --help?');
});
