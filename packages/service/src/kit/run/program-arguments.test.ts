import assert from "node:assert/strict";
import { test } from "node:test";
import { parseProgramArguments } from "./program-arguments.ts";

test("a program without arguments serves", () => {
  assert.deepEqual(parseProgramArguments([]), { task: "serve", set: [] });
});

test("files and settings are taken for every task", () => {
  assert.deepEqual(parseProgramArguments(["--migrate", "--config", "a.yaml", "--set", "a.b=1", "--set=c=x=y"]), {
    task: "migrate",
    file: "a.yaml",
    set: ["a.b=1", "c=x=y"],
  });
});

for (const [args, message] of [
  [["--migrat"], /^unknown argument "--migrat"; did you mean --migrate\? Known: --config, --set/],
  [["-x"], /^unknown argument "-x"/],
  [["serve"], /^unknown argument "serve"/],
  [["--config"], /^missing value of --config or --set/],
  [["--health", "--migrate"], /^--migrate and --health cannot be combined$/],
] as const) {
  test(`refuses ${args.join(" ")}`, () =>
    assert.throws(() => parseProgramArguments(args), { name: "TypeError", message }));
}
