import assert from "node:assert/strict";
import { it } from "node:test";
import { checks } from "../../tools/verify/checks.ts";
import { BENCH_CASES } from "./cases.ts";

it("each case is measured by one check of npm run verify", () => {
  const wordsOfChecks = checks
    .filter(({ command }) => command.includes("bench") && command.includes("--rounds"))
    .map(({ command }) => command.slice(command.indexOf("--") + 1, command.indexOf("--rounds")));
  assert.ok(wordsOfChecks.length > 1);
  for (const { name } of BENCH_CASES) {
    const measuring = wordsOfChecks.filter((words) => words.some((word) => name.includes(word)));
    assert.equal(measuring.length, 1, name);
  }
});
