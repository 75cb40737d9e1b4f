import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { yamlFrame } from "./yaml-frame.ts";

function frame(text: string, line: number, column = 1): string {
  return yamlFrame(text, { kind: "file", file: "a.yaml", line, column });
}

describe("yamlFrame", () => {
  test("puts the caret below the column, after tabs too", () => {
    assert.equal(frame("a: 1\n\t b", 2, 3), "  2 | \t b\n    | \t ^");
  });

  for (const [what, text, line] of [
    ["of a key that names a secret", "db:\n  password: [hunter2", 2],
    ["of one in flow style", "db: {user: a, password: hunter2", 1],
    ["of one in quotes", '"api_key": "hunter2', 1],
    ["that goes on below its key", "private_key: |\n  hunter2\n hunter2", 3],
    ["in a URL", "url: postgres://me:hunter2@db/users: x", 1],
  ] as const) {
    test(`hides a secret ${what}`, () => {
      assert.match(frame(text, line), /•••/);
      assert.doesNotMatch(frame(text, line), /hunter2/);
    });
  }

  test("shows at most 120 characters of a line", () => {
    assert.equal(frame("a".repeat(10_000), 1).split("\n")[0]?.length, 120 + "  1 | ".length);
  });

  test("shows an empty line where the file ends", () => {
    assert.equal(frame("a: 1", 2), "  2 | \n    | ^");
  });
});
