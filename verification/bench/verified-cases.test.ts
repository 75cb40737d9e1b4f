import assert from "node:assert/strict";
import { it } from "node:test";
import { checks } from "../../tools/verify/checks.ts";
import { BENCH_CASES } from "./cases.ts";
import { parseOptions } from "./options.ts";
import { recipe } from "./publish/recipe.ts";

const names = BENCH_CASES.map(({ name }) => name);
const measuring = checks
  .filter(({ command }) => command.includes("bench") && command.includes("--rounds"))
  .map(({ name, command }) => ({
    name,
    options: parseOptions(command.slice(command.indexOf("--") + 1), { cases: names, peers: recipe.peers }),
  }));

it("exactly one check of npm run verify measures each case", () => {
  assert.ok(measuring.length > 1);
  for (const name of names) {
    const checksOfCase = measuring.filter(({ options }) => options.cases.includes(name));
    assert.equal(checksOfCase.length, 1, `${name}: ${checksOfCase.map((check) => check.name)}`);
  }
});

it("checks of npm run verify measure with the settings of the published tables, with every peer", () => {
  for (const { name, options } of measuring) {
    const { rounds, seconds, peers } = options;
    assert.deepEqual(
      { rounds, seconds, peers },
      { rounds: recipe.rounds, seconds: recipe.seconds, peers: recipe.peers },
      name,
    );
  }
});
