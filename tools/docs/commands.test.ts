// The commands that the pages show are run, as readers run them. CONTRIBUTING.md says how to mark them.
// Long: it runs every example, and the daemon of WimGuard with npm before each command.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { describeOutcome, pages, root } from "./pages.ts";

/** Commands may type-check or test the whole workspace. */
const limitMs = 240_000;

/** Half of the time of most commands is npx itself: what is installed here is run without it, which another test does once. */
const ownNpx =
  'npx() { local own="node_modules/.bin/$1"; if [ -x "$own" ]; then shift; "$own" "$@"; else command npx "$@"; fi; }';

describe("commands in the docs", () => {
  it("run programs of the repository by npx", () => {
    const outcome = spawnSync("npx", ["node", "--version"], { cwd: root, encoding: "utf8", input: "" });
    const { version } = JSON.parse(readFileSync(join(root, "node_modules", "node", "package.json"), "utf8"));
    assert.equal(outcome.stdout, `v${version}\n`, describeOutcome(outcome));
  });

  for (const [page, { snippets }] of pages) {
    for (const { marks, text, line } of snippets) {
      if (marks[0] !== "sh" || !marks.includes("run")) continue;
      it(`run: ${page}:${line}`, () => {
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
