import assert from "node:assert/strict";
import { chmodSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { RunState } from "../../src/gen/wimguard/v1/common_pb.ts";
import { createSuiteContext } from "../daemon/cleanup.ts";
import { type DaemonInProcess, startInProcess } from "../daemon/daemon-in-process.ts";
import { linesOf, setVariables, wimguard } from "./run-command.ts";

describe("wimguard backup", () => {
  const context = createSuiteContext();
  let daemon: DaemonInProcess;
  let at: (name: string) => string;
  before(async () => {
    daemon = await startInProcess(context);
    setVariables(context, { WIMGUARD_DIR: daemon.folders.data });
    at = (name) => join(daemon.folders.destinations, name);
    writeFileSync(join(daemon.folders.source, "kept"), "kept\n");
    writeFileSync(join(daemon.folders.source, "left-out.log"), "x");
  });
  after(() => context.clean());

  it("leaves out what --exclude says, and gives the snapshot its tags", async () => {
    const ended = await wimguard(
      ...["backup", "-s", daemon.folders.source, "-d", at("a.tar.zst"), "--json"],
      ...["--exclude", "*.log", "nothing/", "--tag", "kind=weekly", "by=ada"],
    );
    assert.equal(ended.code, 0, ended.err);
    const summary = linesOf(ended).at(-1);
    assert.deepEqual([summary?.type, summary?.size, summary?.warnings], ["summary", 5, ""]);
    const uuid = String(summary?.uuid);
    const { entries } = await daemon.client.snapshot.listEntries({ snapshotUuid: uuid });
    assert.deepEqual(
      entries.map(({ displayPath }) => displayPath),
      ["kept"],
    );
    assert.deepEqual((await daemon.client.snapshot.getSnapshot({ uuid })).tags, { kind: "weekly", by: "ada" });
  });

  it("fails with --unreadable fail as the call itself would, and leaves nothing", async (test) => {
    const missing = join(daemon.folders.source, "missing");
    const ended = await wimguard("backup", "-s", missing, "-d", at("b.tar"), "--unreadable", "fail", "--json");
    assert.equal(ended.code, 1);
    const error = linesOf(ended).at(-1);
    assert.deepEqual([error?.type, error?.code, error?.reason], ["error", "NotFound", "SOURCE_NOT_FOUND"]);
    if (process.geteuid?.() !== 0) {
      const unreadable = join(daemon.folders.source, "unreadable");
      writeFileSync(unreadable, "x", { mode: 0o000 });
      test.after(() => rmSync(unreadable));
      chmodSync(unreadable, 0o000);
      const refused = await wimguard("backup", "-s", daemon.folders.source, "-d", at("b.tar"), "--unreadable", "fail");
      assert.match(refused.err, /1 entry could not be read: unreadable; the backup was discarded/);
    }
    assert.ok(!readdirSync(daemon.folders.destinations).includes("b.tar"));
  });

  it("leaves the run to the daemon with --detach", async () => {
    const ended = await wimguard("backup", "-s", daemon.folders.source, "-d", at("c.tar"), "--detach", "--json");
    assert.equal(ended.code, 0, ended.err);
    const uuid = String(linesOf(ended)[0]?.uuid);
    for await (const { run } of daemon.client.schedule.watchRuns({})) {
      if (run?.uuid !== uuid || run.state < RunState.COMPLETED) continue;
      assert.equal(run.state, RunState.COMPLETED);
      break;
    }
    assert.ok(readdirSync(daemon.folders.destinations).includes("c.tar"));
  });

  for (const [what, args, message] of [
    ["an unknown treatment", ["--unreadable", "never"], /invalid --unreadable "never": use skip or fail/],
    ["a tag without a value", ["--tag", "kind"], /invalid tag "kind": use NAME=VALUE/],
  ] as const) {
    it(`refuses ${what} with exit code 2`, async () => {
      const ended = await wimguard("backup", "-s", daemon.folders.source, "-d", at("d.tar"), ...args);
      assert.equal(ended.code, 2);
      assert.match(ended.err, message);
    });
  }

  it("prints JSON when WIMGUARD_JSON is set", async (test) => {
    setVariables(test, { WIMGUARD_JSON: "1" });
    assert.deepEqual(linesOf(await wimguard("health")), [{ type: "summary", status: "SERVING" }]);
  });
});
