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

test("white space around a text is removed and inside it is kept", () => {
  assert.equal(requiredText("name", " Ada  Lovelace\n", 20), "Ada  Lovelace");
});

test("a text of the largest length is taken and a longer one refused", () => {
  assert.equal(requiredText("name", "abcde", 5), "abcde");
  assert.equal(
    refusalOf(() => requiredText("name", "abcdef", 5)),
    "name: must have at most 5 characters",
  );
});

test("an empty or blank text is refused", () => {
  assert.equal(
    refusalOf(() => requiredText("email", "", 5)),
    "email: must not be empty",
  );
  assert.equal(
    refusalOf(() => requiredText("email", " \t ", 5)),
    "email: must not be empty",
  );
});

test("control characters are refused", () => {
  for (const control of ["\0", "\n", "\x1b", "\x7f", "\x85"]) {
    assert.match(
      refusalOf(() => requiredText("name", `a${control}b`, 5)),
      /^name: must not contain control/,
    );
  }
});

test("an id of 64 characters is looked up, a longer or an empty one refused", () => {
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
