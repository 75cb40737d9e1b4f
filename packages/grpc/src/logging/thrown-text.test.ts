import assert from "node:assert/strict";
import { test } from "node:test";
import { Code, ConnectError } from "@connectrpc/connect";
import { hostileValues } from "@tercel/test-support/hostile-values";
import { inspectable, thrownMessage, thrownText } from "./thrown-text.ts";

test("shows an error's stack and those of its causes, five deep", () => {
  let error = new Error("cause 0");
  for (let at = 1; at < 8; at++) error = new Error(`cause ${at}`, { cause: error });
  const text = thrownText(error);
  assert.deepEqual(text.match(/cause \d/g), ["cause 7", "cause 6", "cause 5", "cause 4", "cause 3", "cause 2"]);
});

test("ends on an error that is its own cause", () => {
  const error = new Error("circle");
  error.cause = error;
  assert.match(thrownText(error), /circle/);
});

test("names other values by what they are", () => {
  assert.equal(thrownText("a\nb"), 'the text "a\\nb"');
  assert.equal(thrownText({ code: 1, password: "x" }), "an object with code, password");
  assert.equal(thrownText(undefined), "the value undefined");
  assert.equal(thrownText(7n), "the value 7");
});

test("cuts long ones", () => {
  const error = new Error("x".repeat(20_000));
  assert.equal(thrownText(error).length, 8193);
});

test("never throws, whatever was thrown", () => {
  for (const make of Object.values(hostileValues)) {
    assert.equal(typeof thrownText(make()), "string");
    assert.equal(typeof thrownMessage(make()), "string");
  }
  assert.equal(thrownText(hostileValues["a Proxy whose traps all throw"]?.()), "a value that cannot be shown");
  assert.match(thrownText(hostileValues["an Error whose cause getter throws"]?.()), /^Error: hidden\n/);
});

test("is only the message where only that is asked for", () => {
  assert.equal(thrownMessage(new TypeError("wrong")), "wrong");
  assert.equal(thrownMessage("text"), "text");
  assert.equal(thrownMessage(null), "null");
});

test("leaves what can be examined as it is, and puts an Error in the place of the rest", () => {
  const error = new ConnectError("meant", Code.NotFound);
  for (const thrown of [error, new Error("a"), "text", undefined, { a: 1 }]) assert.equal(inspectable(thrown), thrown);
  for (const make of Object.values(hostileValues)) {
    const found = inspectable(make());
    assert.equal(found instanceof ConnectError, false);
    if (found instanceof Error) assert.equal(typeof `${found.name}${found.message}${found.stack}`, "string");
  }
});
