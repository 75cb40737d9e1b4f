// Runs the commands that the pages show. CONTRIBUTING.md describes how to mark them.
// Long: it runs every example, and the daemon of WimGuard with npm before each command.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { describeOutcome, pages, root } from "./pages.ts";

/** Commands may type-check or test the whole workspace. */
const limitMs = 240_000;

/** npx takes half of the time of most commands, so installed programs run without it. Another test runs npx once. */
const ownNpx =
  'npx() { local own="node_modules/.bin/$1"; if [ -x "$own" ]; then shift; "$own" "$@"; else command npx "$@"; fi; }';

describe("commands in the docs", () => {
  it("runs programs of the repository with npx, as the commands on the pages do", () => {
    const outcome = spawnSync("npx", ["node", "--version"], { cwd: root, encoding: "utf8", input: "" });
    const { version } = JSON.parse(readFileSync(join(root, "node_modules", "node", "package.json"), "utf8"));
    assert.equal(outcome.stdout, `v${version}\n`, describeOutcome(outcome));
  });

  for (const [page, { snippets }] of pages) {
    for (const { marks, text, line } of snippets) {
      if (marks[0] !== "sh" || !marks.includes("run")) continue;
      it(`runs the commands at ${page}:${line}`, () => {
        const outcome = spawnSync("bash", ["-euo", "pipefail", "-c", `${ownNpx}\n${text}`], {
          cwd: root,
          encoding: "utf8",
          timeout: limitMs,
          input: "",
        });
        assert.equal(outcome.status, 0, describeOutcome(outcome));
      });
    }
  }
});
