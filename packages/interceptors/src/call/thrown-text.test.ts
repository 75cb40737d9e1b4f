import assert from "node:assert/strict";
import { test } from "node:test";
import { thrownText } from "./thrown-text.ts";

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
