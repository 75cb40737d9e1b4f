import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, it } from "node:test";
import { checks } from "./checks.ts";

const root = dirname(dirname(import.meta.dirname));
const contributing = readFileSync(join(root, "CONTRIBUTING.md"), "utf8");

describe("the table of checks in CONTRIBUTING.md", () => {
  const table = contributing.slice(
    contributing.indexOf("## Checks"),
    contributing.indexOf("## Where does my change go?"),
  );

  it("names every check of npm run verify", () => {
    assert.deepEqual(
      checks.map(({ name }) => name).filter((name) => !table.includes(`\`${name}\``)),
      [],
    );
  });
});

describe("the checks of npm run verify", () => {
  it("run scripts that exist", () => {
    const { scripts } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as {
      scripts: Record<string, string>;
    };
    for (const { name, command } of checks) {
      const [program, verb, , script = ""] = command;
      if (program === "npm" && verb === "run") assert.ok(script in scripts, `${name}: ${script}`);
    }
  });

  it("have different names", () => {
    assert.equal(new Set(checks.map(({ name }) => name)).size, checks.length);
  });
});
