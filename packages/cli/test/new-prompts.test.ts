// tercel new on a terminal: what it asks, and what keys choose.
import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it, type TestContext } from "node:test";
import { runOnTerminal } from "./run-on-terminal.ts";

const down = "\u001b[B";
const enter = "\r";

function temporaryFolder(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), "tercel-prompts-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

const skipSetup = ["--no-install", "--no-git"];

describe("tercel new on a terminal", () => {
  it("asks for the name and for what no flag says, and prints the command line that does the same", async (t) => {
    const cwd = temporaryFolder(t);
    const { exitCode, shown, stdout } = await runOnTerminal(["new", "--with-auth=jwt", ...skipSetup], cwd, {
      "What is the name of the service?": [..."user-service", enter],
      "Which database?": [down, enter],
      "Where are messages cached?": [down, down, enter],
      "How do events travel?": [enter],
      "Where are metrics or traces exported?": [enter],
      "How do services find each other?": [enter],
      "Also serve REST, Connect and gRPC-Web": ["y"],
    });
    assert.equal(exitCode, 0, shown);
    assert.equal(stdout, "");
    assert.doesNotMatch(shown, /How do callers authenticate/);
    const flags =
      "--with-database=postgres --with-cache=none --with-events=memory --with-auth=jwt --with-monitoring=prometheus --with-discovery=embedded --gateway";
    assert.ok(shown.includes(`equivalent command: tercel new user-service --type=grpc ${flags}\n`), shown);
    const record = readFileSync(join(cwd, "user-service/tercel.yaml"), "utf8");
    assert.match(record, /database: postgres\n {2}cache: none\n/);
  });

  it("serves gRPC alone where the answer is no, and does not ask where a flag says it", async (t) => {
    const cwd = temporaryFolder(t);
    const all = ["database", "cache", "events", "auth", "monitoring", "discovery"].map((one) => `--with-${one}=none`);
    const asked = await runOnTerminal(["new", "user-service", ...all, ...skipSetup], cwd, {
      "Also serve REST, Connect and gRPC-Web": [enter],
    });
    assert.equal(asked.exitCode, 0, asked.shown);
    assert.match(asked.shown, /equivalent command: .* --with-discovery=none --no-gateway\n/);
    for (const flag of ["--gateway", "--no-gateway"]) {
      const told = await runOnTerminal(["new", "user-service", ...all, flag, "--dir", flag, ...skipSetup], cwd, {});
      assert.equal(told.exitCode, 0, told.shown);
      assert.doesNotMatch(told.shown, /Serve REST/);
    }
  });

  it("asks nothing with --yes", async (t) => {
    const cwd = temporaryFolder(t);
    const { exitCode, shown } = await runOnTerminal(["new", "user-service", "--yes", ...skipSetup], cwd, {});
    assert.equal(exitCode, 0, shown);
    assert.match(shown, /--with-database=sqlite --with-cache=memory --with-events=memory --with-auth=none/);
  });

  it("writes nothing after Ctrl-C", async (t) => {
    const cwd = temporaryFolder(t);
    const { exitCode, shown } = await runOnTerminal(["new", "user-service", ...skipSetup], cwd, {
      "Which database?": ["\u0003"],
    });
    assert.equal(exitCode, 130);
    assert.match(shown, /error: interrupted; nothing was written\n$/);
    assert.deepEqual(readdirSync(cwd), []);
  });
});
