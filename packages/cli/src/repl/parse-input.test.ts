import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { parseInput } from "./parse-input.ts";

describe("a line at the prompt", () => {
  it("is a command, a method, a message or nothing", () => {
    assert.deepEqual(parseInput("  "), { kind: "nothing" });
    assert.deepEqual(parseInput(".save  a b.yaml "), { kind: "command", name: "save", argument: "a b.yaml" });
    assert.deepEqual(parseInput("a.v1.S/Do"), { kind: "method", method: "a.v1.S/Do", message: "" });
    assert.deepEqual(parseInput('S/Do {"a": 1}'), { kind: "method", method: "S/Do", message: '{"a": 1}' });
    assert.deepEqual(parseInput("Do a=1"), { kind: "method", method: "Do", message: "a=1" });
    assert.deepEqual(parseInput(' {"a": 1}'), { kind: "json", text: '{"a": 1}' });
    assert.deepEqual(parseInput('name="Ada \\"L\\"" from=3 x=\'a b\' empty='), {
      kind: "assignments",
      assignments: ['name=Ada "L"', "from=3", "x=a b", "empty="],
    });
  });

  it("names the nearest command, and what may be written at all", () => {
    assert.throws(() => parseInput(".lst"), /unknown command \.lst; did you mean \.list\?/);
    assert.throws(() => parseInput(".toString"), /unknown command \.toString; \.help lists the commands/);
    assert.throws(() => parseInput("42"), /invalid input "42": neither a method nor a message/);
  });
});
