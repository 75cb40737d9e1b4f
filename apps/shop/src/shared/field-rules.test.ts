import assert from "node:assert/strict";
import { test } from "node:test";
import { Code, ConnectError } from "@connectrpc/connect";
import { requiredId, requiredText } from "./field-rules.ts";

function refusalOf(work: () => unknown): string {
  try {
    work();
  } catch (error) {
    assert.ok(error instanceof ConnectError);
    assert.equal(error.code, Code.InvalidArgument);
    return error.rawMessage;
  }
  throw new assert.AssertionError({ message: "nothing was refused" });
}

test("removes white space around a text and keeps it inside", () => {
  assert.equal(requiredText("name", " Ada  Lovelace\n", 20), "Ada  Lovelace");
});

test("accepts a text of the maximum length and refuses a longer one", () => {
  assert.equal(requiredText("name", "abcde", 5), "abcde");
  assert.equal(
    refusalOf(() => requiredText("name", "abcdef", 5)),
    "name: must have at most 5 characters",
  );
});

test("refuses an empty or blank text", () => {
  assert.equal(
    refusalOf(() => requiredText("email", "", 5)),
    "email: must not be empty",
  );
  assert.equal(
    refusalOf(() => requiredText("email", " \t ", 5)),
    "email: must not be empty",
  );
});

test("refuses control characters", () => {
  for (const control of ["\0", "\n", "\x1b", "\x7f", "\x85"]) {
    assert.match(
      refusalOf(() => requiredText("name", `a${control}b`, 5)),
      /^name: must not contain control/,
    );
  }
});

test("accepts an id of 64 characters, and refuses a longer or an empty one", () => {
  assert.equal(requiredId("user_id", "x".repeat(64)).length, 64);
  assert.equal(
    refusalOf(() => requiredId("user_id", "x".repeat(65))),
    "user_id: must have at most 64 characters",
  );
  assert.equal(
    refusalOf(() => requiredId("user_id", "")),
    "user_id: must not be empty",
  );
});
